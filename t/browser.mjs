// Copyright (C) ngx_stream_vod_module authors

// A headless Chromium with pages that have a player in them each, for
// t/players.mjs and t/joins.mjs.  CORS is enforced.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));

// null: the browser itself
const scripts = {
    hls: 'hls.js/dist/hls.js',
    dash: 'dashjs/dist/modern/umd/dash.all.debug.js',
    shaka: 'shaka-player/dist/shaka-player.compiled.debug.js',
    mpegts: 'mpegts.js/dist/mpegts.js',
    native: null,
};

const html = '<!doctype html><video id=v muted width=320 height=180></video>'
             + `<script>${startPlayer}</script>`;

export const players = Object.keys(scripts);


// newPage(PLAYER) gives { page, seen, close() }; seen is what is counted of
// the answers to the page: { requests, bad: ["STATUS URL", ...] }

export async function openBrowser() {
    const server = http.createServer(serve);

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

    async function newPage(player) {
        const context = await browser.newContext();
        const page = await context.newPage();
        const seen = {requests: 0, bad: []};

        page.on('response', response => {
            if (response.url().startsWith(origin)) {
                return;
            }

            seen.requests++;

            if (response.status() >= 400) {
                seen.bad.push(`${response.status()} ${response.url()}`);
            }
        });

        await page.goto(origin);

        if (scripts[player]) {
            await page.addScriptTag({url: '/' + scripts[player]});
        }

        return {page, seen, close: () => context.close()};
    }

    async function close() {
        await browser.close();
        server.close();
        server.closeAllConnections();
    }

    return {newPage, close};
}


function serve(request, response) {
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
}


// Runs in the page: has PLAYER play the URL in the page's video element, with
// no more than "ahead" s in its buffer, where that is given and it can be told
// (dash.js); cmcd: it says which session it is of.  What goes wrong, then or
// later, is added to errors as text, with "fatal " before it where it ends the
// play.
//
// The promise is kept when the player was told to play, and gives functions:
// take(n), the n-th of all renditions, taken in turn; latency(), s behind the
// live edge, or behind all that has come (mpegts.js); target(), those that it
// wants to be behind; data(), the timed data that it has met: [{ text, wall }],
// as often as it was handed out, wall in s, or null if it cannot be told.

async function startPlayer({player, url, ahead, cmcd}, errors) {
    const video = document.getElementById('v');

    const found = [];
    const scheme = 'https://aomedia.org/emsg/ID3';
    const decode = bytes => new TextDecoder('latin1').decode(bytes);

    const does = {
        data: () => found.map(({text, wall}) => ({text, wall: wall()})),
        take() {},
        latency: () => null,
        target: () => null,
    };

    const start = {
        hls() {
            const hls = new Hls({lowLatencyMode: true,
                                 ...(cmcd ? {cmcd: {}} : {})});

            hls.on(Hls.Events.ERROR, (event, data) => errors.push(
                `${data.fatal ? 'fatal ' : ''}${data.type} ${data.details}`));
            hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());

            // of cues it loses those of the fragment that makes the first one

            hls.on(Hls.Events.FRAG_PARSING_METADATA, (event, data) => {
                for (const sample of data.samples) {
                    if (sample.type === scheme) {
                        found.push({
                            text: decode(sample.data),
                            wall: () => data.frag.programDateTime / 1000
                                        + sample.pts - data.frag.start,
                        });
                    }
                }
            });

            hls.loadSource(url);
            hls.attachMedia(video);

            does.take = n => {
                hls.nextLevel = n % hls.levels.length;
            };

            does.latency = () => hls.latency;
            does.target = () => hls.targetLatency;
        },

        dash() {
            const dash = dashjs.MediaPlayer().create();

            dash.updateSettings({debug: {logLevel: 0},
                                 streaming: {cmcd: {enabled: !!cmcd}}});
            dash.on(dashjs.MediaPlayer.events.ERROR,
                    event => errors.push('fatal ' + event.error.message));

            dash.on(scheme, event => found.push({
                text: decode(event.event.messageData),
                wall: () => event.event.calculatedPresentationTime,
            }), null, {mode: 'eventModeOnReceive'});

            if (ahead) {
                dash.updateSettings({streaming: {buffer: {
                    bufferTimeDefault: ahead, bufferTimeAtTopQuality: ahead,
                    bufferTimeAtTopQualityLongForm: ahead}}});
            }

            dash.initialize(video, url, true);

            does.take = n => {
                const list = dash.getRepresentationsByType('video');

                dash.updateSettings({streaming: {abr: {autoSwitchBitrate:
                                                       {video: false}}}});
                dash.setRepresentationForTypeById(
                    'video', list[n % list.length].id);
            };

            does.latency = () => dash.getCurrentLiveLatency();
        },

        async shaka() {
            shaka.polyfill.installAll();

            const shakaPlayer = new shaka.Player();

            shakaPlayer.configure({cmcd: {enabled: !!cmcd}});

            await shakaPlayer.attach(video);
            shakaPlayer.addEventListener('error', event => errors.push(
                `${event.detail.severity > 1 ? 'fatal ' : ''}shaka `
                + event.detail.code));

            // of HLS it wants none otherwise, and has times of its own

            const own = !url.endsWith('.mpd');

            shakaPlayer.configure({mediaSource: {dispatchAllEmsgBoxes: own}});
            shakaPlayer.addEventListener('emsg', event => found.push({
                text: decode(event.detail.messageData),
                wall: () => own ? null : event.detail.startTime,
            }));

            await shakaPlayer.load(url);

            does.take = n => {
                const list = shakaPlayer.getVariantTracks();

                shakaPlayer.configure({abr: {enabled: false}});
                shakaPlayer.selectVariantTrack(list[n % list.length]);
            };

            does.latency = () => shakaPlayer.getStats().liveLatency;

            video.play().catch(() => {});
        },

        // FLV as it comes, and nothing kept back

        mpegts() {
            const flv = mpegts.createPlayer({type: 'flv', url, isLive: true}, {
                enableStashBuffer: false, autoCleanupSourceBuffer: true,
            });

            flv.on(mpegts.Events.ERROR, (type, detail, info) => errors.push(
                `fatal ${type} ${detail} ${info && (info.msg || info.code)}`));
            flv.attachMediaElement(video);
            flv.load();

            does.latency = () => video.buffered.length
                ? video.buffered.end(video.buffered.length - 1)
                  - video.currentTime
                : null;

            // it waits for the element, which has errors of its own
            video.addEventListener('error', () => errors.push(
                `fatal mpegts ${video.error.code} ${video.error.message}`));
            video.play().catch(() => {});
        },

        native() {
            video.addEventListener('error', () => errors.push(
                `fatal native ${video.error.code} ${video.error.message}`));
            video.src = url;
            video.play().catch(() => {});
        },
    };

    try {
        await start[player]();

    } catch (error) {
        errors.push(`fatal ${player} ${error.code || error}`);
    }

    return does;
}
