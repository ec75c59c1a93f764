// Copyright (C) ngx_stream_vod_module authors

// Plays manifests in headless Chromium, all of them at the same time, each in
// a page of its own, and prints what was seen as JSON:
//
//   node t/players.mjs SECONDS PLAYER URL [PLAYER URL ...]
//
// PLAYER is hls, dash or shaka.  For each: what was played in SECONDS, the
// stalls (the picture stands for more than 250 ms), jumps, errors, frames,
// the latency the player reports (hls.js: and the one it wants), and answers
// that were no success.  CORS is enforced.  Used by t/players.t and
// t/vod_players.t.
//
// "hls@20,3" goes to 20 s, and later to 3 s, and says how long it took to play
// on; "hls+switch", or "hls@20,3+switch", takes another rendition each second,
// and says what sizes were seen.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));

const scripts = {
    hls: 'hls.js/dist/hls.js',
    dash: 'dashjs/dist/modern/umd/dash.all.debug.js',
    shaka: 'shaka-player/dist/shaka-player.compiled.debug.js',
};

const [seconds, ...rest] = process.argv.slice(2);
const jobs = [];

for (let i = 0; i + 1 < rest.length; i += 2) {
    const [, player, seeks, change] =
        /^(\w+)(?:@([\d.,]+))?(\+switch)?$/.exec(rest[i]) || [];

    jobs.push({
        player, url: rest[i + 1], change: !!change,
        seeks: seeks ? seeks.split(',').map(Number) : [],
    });
}

if (!jobs.length || jobs.some(job => !scripts[job.player])) {
    console.error('usage: players.mjs SECONDS hls|dash|shaka URL ...');
    process.exit(2);
}

const html = '<!doctype html><video id=v muted width=320 height=180></video>';

const server = http.createServer((request, response) => {
    const name = new URL(request.url, 'http://localhost').pathname;

    if (name === '/') {
        response.writeHead(200, {'Content-Type': 'text/html'});
        response.end(html);
        return;
    }

    fs.readFile(path.join(here, 'node_modules', name), (error, data) => {
        response.writeHead(error ? 404 : 200,
                           {'Content-Type': 'text/javascript'});
        response.end(data);
    });
});

await new Promise(done => server.listen(0, '127.0.0.1', done));

const origin = `http://127.0.0.1:${server.address().port}/`;

const browser = await chromium.launch({
    executablePath: process.env.TEST_CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
           '--autoplay-policy=no-user-gesture-required',
           '--disable-background-timer-throttling',
           '--disable-backgrounding-occluded-windows',
           '--disable-renderer-backgrounding'],
});

async function run(job) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const bad = [];
    let requests = 0;

    page.on('response', response => {
        if (response.url().startsWith(origin)) {
            return;
        }

        requests++;

        if (response.status() >= 400) {
            bad.push(`${response.status()} ${response.url()}`);
        }
    });

    await page.goto(origin);
    await page.addScriptTag({url: '/' + scripts[job.player]});

    const result = await page.evaluate(watch, {...job, seconds: +seconds});

    return {...job, ...result, requests, bad};
}

let results;

try {
    results = await Promise.all(jobs.map(job => run(job).catch(error => (
        {...job, errors: [String(error)], stalls: []}
    ))));

} finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
}

console.log(JSON.stringify(results, null, 1));


// runs in the page

async function watch({player, url, seconds, seeks, change}) {
    const video = document.getElementById('v');
    const errors = [];
    const sleep = msec => new Promise(done => setTimeout(done, msec));

    // the n-th of all renditions, taken in turn
    let take = () => {};

    // s behind the edge that the player wants to be, where it says so
    let target = () => null;

    const start = {
        hls() {
            const hls = new Hls({lowLatencyMode: true});

            hls.on(Hls.Events.ERROR, (event, data) => errors.push(
                `${data.fatal ? 'fatal ' : ''}${data.type} ${data.details}`));
            hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
            hls.loadSource(url);
            hls.attachMedia(video);

            take = n => {
                hls.nextLevel = n % hls.levels.length;
            };

            target = () => hls.targetLatency;

            return () => hls.latency;
        },

        dash() {
            const dash = dashjs.MediaPlayer().create();

            dash.updateSettings({debug: {logLevel: 0}});
            dash.on(dashjs.MediaPlayer.events.ERROR,
                    event => errors.push('fatal ' + event.error.message));

            // what is ahead already is not asked for again
            if (change) {
                dash.updateSettings({streaming: {buffer: {
                    bufferTimeDefault: 4, bufferTimeAtTopQuality: 4,
                    bufferTimeAtTopQualityLongForm: 4}}});
            }

            dash.initialize(video, url, true);

            take = n => {
                const list = dash.getRepresentationsByType('video');

                dash.updateSettings({streaming: {abr: {autoSwitchBitrate:
                                                       {video: false}}}});
                dash.setRepresentationForTypeById(
                    'video', list[n % list.length].id);
            };

            return () => dash.getCurrentLiveLatency();
        },

        async shaka() {
            shaka.polyfill.installAll();

            const shakaPlayer = new shaka.Player();

            await shakaPlayer.attach(video);
            shakaPlayer.addEventListener('error', event => errors.push(
                `shaka ${event.detail.code}`));
            await shakaPlayer.load(url);
            await video.play();

            take = n => {
                const list = shakaPlayer.getVariantTracks();

                shakaPlayer.configure({abr: {enabled: false}});
                shakaPlayer.selectVariantTrack(list[n % list.length]);
            };

            return () => shakaPlayer.getStats().liveLatency;
        },
    };

    const t0 = performance.now();
    let latency;

    try {
        latency = await start[player]();

    } catch (error) {
        return {errors: ['fatal ' + (error.code || error)], stalls: []};
    }

    while ((video.readyState < 3 || video.paused || video.currentTime === 0)
           && performance.now() - t0 < 20000)
    {
        await sleep(20);
    }

    const startup = Math.round(performance.now() - t0);
    const begin = performance.now();
    const stalls = [];
    const jumps = [];
    const latencies = [];
    const sought = [];
    const sizes = new Set();

    let last = video.currentTime;
    let moved = performance.now();
    let played = 0;
    let changes = 0;

    while (performance.now() - begin < seconds * 1000 && !video.ended) {
        await sleep(50);

        const now = performance.now();

        sizes.add(`${video.videoWidth}x${video.videoHeight}`);

        if (change && now - begin > (changes + 1) * 1000) {
            take(changes++);
        }

        if (sought.length < seeks.length && now - begin > (sought.length + 1)
                                       * seconds * 1000 / (seeks.length + 1))
        {
            const to = seeks[sought.length];

            video.currentTime = to;

            while (performance.now() - now < 10000 && !video.ended
                   && (video.seeking || video.currentTime <= to))
            {
                await sleep(20);
            }

            sought.push({
                to, at: video.currentTime,
                msec: Math.round(performance.now() - now),
            });

            last = video.currentTime;
            moved = performance.now();
            continue;
        }

        const step = video.currentTime - last;

        if (step === 0) {
            continue;
        }

        if (now - moved > 250) {
            stalls.push({at: last, msec: Math.round(now - moved)});
        }

        if (step < 0 || step > (now - moved) / 1000 * 1.2 + 0.35) {
            jumps.push({from: last, to: video.currentTime});

        } else {
            played += step;
        }

        const value = latency();

        if (Number.isFinite(value)) {
            latencies.push(value);
        }

        last = video.currentTime;
        moved = now;
    }

    if (!video.ended && performance.now() - moved > 250) {
        stalls.push({at: last, msec: Math.round(performance.now() - moved)});
    }

    const quality = video.getVideoPlaybackQuality();

    latencies.sort((a, b) => a - b);

    return {
        startup, errors, stalls, jumps, sought,
        sizes: [...sizes],
        played: +played.toFixed(2),
        ended: video.ended,
        frames: quality.totalVideoFrames,
        dropped: quality.droppedVideoFrames,
        audio: video.webkitAudioDecodedByteCount,
        size: `${video.videoWidth}x${video.videoHeight}`,
        latency: latencies.length ? {
            median: latencies[latencies.length >> 1],
            max: latencies[latencies.length - 1],
            target: target(),
        } : null,
    };
}
