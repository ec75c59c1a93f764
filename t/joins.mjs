// Copyright (C) ngx_stream_vod_module authors

// Players that join when they are told, in one headless Chromium, each in a
// page of its own that is made ready before.  Lines on standard input:
//
//   ready ID PLAYER             answered by {"id": .., "ready": true}
//   go ID URL LIMIT SECONDS     LIMIT ms to start, then SECONDS of play;
//                               answered by {"id": .., "started": ms | null ..}
//                               and late, ms that the page was so
//   native                      {"native": true}: the browser plays HLS itself
//
// PLAYER is hls, dash, shaka or native.  Used by Test::Media::Joins.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));

const scripts = {
    hls: 'hls.js/dist/hls.js',
    dash: 'dashjs/dist/modern/umd/dash.all.debug.js',
    shaka: 'shaka-player/dist/shaka-player.compiled.debug.js',
    native: null,
};

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

const pages = new Map();
const say = value => console.log(JSON.stringify(value));

async function ready(id, player) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const seen = {requests: 0, bad: []};

    page.on('response', response => {
        if (response.url().startsWith(origin)) {
            return;
        }

        seen.requests++;

        if (response.status() >= 400) {
            seen.bad.push(`${response.status()} `
                          + new URL(response.url()).pathname);
        }
    });

    await page.goto(origin);

    if (scripts[player]) {
        await page.addScriptTag({url: '/' + scripts[player]});
    }

    pages.set(id, {context, page, seen, player});
    say({id, ready: true});
}

async function go(id, url, limit, seconds) {
    const {context, page, seen, player} = pages.get(id);

    const result = await page.evaluate(watch, {
        player, url, limit: +limit, seconds: +seconds, asked: Date.now(),
    }).catch(error => ({started: null, errors: ['fatal ' + error]}));

    pages.delete(id);
    say({id, ...result, ...seen});
    await context.close();
}

async function native() {
    const page = await browser.newPage();

    await page.goto(origin);

    say({native: await page.evaluate(() => !!document.getElementById('v')
        .canPlayType('application/vnd.apple.mpegurl'))});

    await page.close();
}

const commands = {ready, go, native};

for await (const line of readline.createInterface({input: process.stdin})) {
    const [command, ...args] = line.split(' ');

    commands[command](...args).catch(error => {
        say({id: args[0], started: null, errors: ['fatal ' + error]});
    });
}

await browser.close();
server.close();
server.closeAllConnections();


// runs in the page

async function watch({player, url, limit, seconds, asked}) {
    const video = document.getElementById('v');
    const errors = [];
    const t0 = performance.now();
    const late = Date.now() - asked;
    const sleep = msec => new Promise(done => setTimeout(done, msec));
    const since = () => Math.round(performance.now() - t0);

    const start = {
        hls() {
            const hls = new Hls({lowLatencyMode: true});

            hls.on(Hls.Events.ERROR, (event, data) => errors.push(
                `${data.fatal ? 'fatal ' : ''}${data.details}`));
            hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
            hls.loadSource(url);
            hls.attachMedia(video);
        },

        dash() {
            const dash = dashjs.MediaPlayer().create();

            dash.updateSettings({debug: {logLevel: 0}});
            dash.on(dashjs.MediaPlayer.events.ERROR,
                    event => errors.push('fatal ' + event.error.message));
            dash.initialize(video, url, true);
        },

        async shaka() {
            shaka.polyfill.installAll();

            const shakaPlayer = new shaka.Player();

            await shakaPlayer.attach(video);
            shakaPlayer.addEventListener('error', event => errors.push(
                `${event.detail.severity > 1 ? 'fatal ' : ''}shaka `
                + event.detail.code));

            await shakaPlayer.load(url).catch(error => errors.push(
                `fatal shaka ${error.code || error}`));
            video.play().catch(() => {});
        },

        native() {
            video.addEventListener('error', () => errors.push(
                `fatal native ${video.error.code} ${video.error.message}`));
            video.src = url;
            video.play().catch(() => {});
        },
    };

    // some players go on after their play() has failed, or wait with it

    const promise = Promise.resolve(start[player]()).catch(
        error => errors.push('fatal ' + error));

    const frames = () => video.getVideoPlaybackQuality().totalVideoFrames;
    const fatal = () => errors.some(error => error.startsWith('fatal'));

    let first = null;
    let started = null;
    let picture = null;

    while (since() < limit && !fatal() && (started === null
                                            || picture === null))
    {
        if (video.currentTime && first === null && video.readyState > 2) {
            first = [video.currentTime, since()];
        }

        if (first && started === null && video.currentTime > first[0]) {
            started = first[1];
        }

        if (started !== null && picture === null && frames()) {
            picture = since();
        }

        await sleep(20);
    }

    const begin = performance.now();
    let last = video.currentTime;
    let moved = begin;
    let stalled = 0;

    while (started !== null && performance.now() - begin < seconds * 1000) {
        await sleep(50);

        const now = performance.now();

        if (video.currentTime !== last) {
            stalled += now - moved > 250 ? now - moved : 0;
            last = video.currentTime;
            moved = now;
        }
    }

    if (started !== null && performance.now() - moved > 250) {
        stalled += performance.now() - moved;
    }

    await Promise.race([promise, sleep(0)]);

    return {
        late, started, picture, errors, stalled: Math.round(stalled),
        state: [video.readyState, video.paused, video.currentTime],
    };
}
