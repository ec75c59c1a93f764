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

import readline from 'node:readline';
import {openBrowser} from './browser.mjs';

const browser = await openBrowser();
const pages = new Map();
const say = value => console.log(JSON.stringify(value));

async function ready(id, player) {
    pages.set(id, {player, ...await browser.newPage(player)});
    say({id, ready: true});
}

async function go(id, url, limit, seconds) {
    const {page, seen, close, player} = pages.get(id);

    const result = await page.evaluate(watch, {
        player, url, limit: +limit, seconds: +seconds, asked: Date.now(),
    }).catch(error => ({started: null, errors: ['fatal ' + error]}));

    pages.delete(id);
    say({id, ...result, ...seen});
    await close();
}

async function native() {
    const {page, close} = await browser.newPage('native');

    say({native: await page.evaluate(() => !!document.getElementById('v')
        .canPlayType('application/vnd.apple.mpegurl'))});

    await close();
}

const commands = {ready, go, native};

for await (const line of readline.createInterface({input: process.stdin})) {
    const [command, ...args] = line.split(' ');

    commands[command](...args).catch(error => {
        say({id: args[0], started: null, errors: ['fatal ' + error]});
    });
}

await browser.close();


// runs in the page

async function watch({player, url, limit, seconds, asked}) {
    const video = document.getElementById('v');
    const errors = [];
    const t0 = performance.now();
    const late = Date.now() - asked;
    const sleep = msec => new Promise(done => setTimeout(done, msec));
    const since = () => Math.round(performance.now() - t0);

    // some players go on after their play() has failed, or wait with it
    startPlayer({player, url}, errors);

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

    return {
        late, started, picture, errors, stalled: Math.round(stalled),
        state: [video.readyState, video.paused, video.currentTime],
    };
}
