// Copyright (C) ngx_stream_vod_module authors

// Plays manifests in headless Chromium, all of them at the same time, each in
// a page of its own, and prints what was seen as JSON:
//
//   node t/players.mjs SECONDS PLAYER URL [PLAYER URL ...]
//
// PLAYER is hls, dash, shaka, mpegts (which plays FLV) or native.  For each:
// what was played in SECONDS, the stalls (the picture stands for more than
// 250 ms), jumps, errors, frames, the latency the player reports (hls.js: and
// the one it wants; mpegts.js: what it has and has not shown), requests, and
// answers that were no success.  Used by Test::Media::Players.
//
// "hls@20,3" goes to 20 s, and later to 3 s, and says how long it took to play
// on; "hls+switch", or "hls@20,3+switch", takes another rendition each second,
// and says what sizes were seen.  "hls+cmcd" says with each request which
// session it is of.  What was met of timed data is in "data".

import {openBrowser, players} from './browser.mjs';

const [seconds, ...rest] = process.argv.slice(2);
const jobs = [];

for (let i = 0; i + 1 < rest.length; i += 2) {
    const [, player, seeks, change] =
        /^(\w+)(?:@([\d.,]+))?(\+switch|\+cmcd)?$/.exec(rest[i]) || [];

    jobs.push({
        player, url: rest[i + 1], change: change === '+switch',
        cmcd: change === '+cmcd',
        seeks: seeks ? seeks.split(',').map(Number) : [],
    });
}

if (!jobs.length || jobs.some(job => !players.includes(job.player))) {
    console.error(`usage: players.mjs SECONDS ${players.join('|')} URL ...`);
    process.exit(2);
}

const browser = await openBrowser();

async function run(job) {
    const {page, seen} = await browser.newPage(job.player);
    const result = await page.evaluate(watch, {...job, seconds: +seconds});

    return {...job, ...result, ...seen};
}

let results;

try {
    results = await Promise.all(jobs.map(job => run(job).catch(error => (
        {...job, errors: [String(error)], stalls: []}
    ))));

} finally {
    await browser.close();
}

console.log(JSON.stringify(results, null, 1));


// runs in the page

async function watch({player, url, seconds, seeks, change, cmcd}) {
    const video = document.getElementById('v');
    const errors = [];
    const sleep = msec => new Promise(done => setTimeout(done, msec));

    const t0 = performance.now();

    // what is ahead already is not asked for again
    const does = await startPlayer({player, url, ahead: change ? 4 : 0, cmcd},
                                   errors);

    while ((video.readyState < 3 || video.paused || video.currentTime === 0)
           && performance.now() - t0 < 20000)
    {
        if (errors.some(error => error.startsWith('fatal'))) {
            return {errors, stalls: []};
        }

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
            does.take(changes++);
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

        const value = does.latency();

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
        data: does.data(),
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
            target: does.target(),
        } : null,
    };
}
