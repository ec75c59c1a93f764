// Copyright (C) ngx_stream_vod_module authors

// Reads manifests with parsers that others wrote, and prints what they
// understood:
//
//   node t/manifest.mjs FILE...      { FILE: { PARSER: what or error } }
//
// Used by t/manifest.t; parsers that are not installed are left out.

import fs from 'node:fs';

const base = 'http://localhost/live/demo/';

// packages are looked up once; a missing one is no error here
const load = name => import(name).catch(() => null);

const m3u8Parser = await load('m3u8-parser');
const hlsParser = await load('hls-parser');
const mpdParser = await load('mpd-parser');

const hls = hlsParser && (hlsParser.default || hlsParser);

function guarded(parse) {
    try {
        return parse();
    } catch (e) {
        return {error: String(e.message || e)};
    }
}

function readM3u8(text) {
    const parser = new m3u8Parser.Parser();
    const warnings = [];

    parser.on('warn', e => warnings.push(e.message));
    parser.push(text);
    parser.end();

    const m = parser.manifest;

    return {
        warnings,
        version: m.version,
        sequence: m.mediaSequence,
        discontinuitySequence: m.discontinuitySequence,
        discontinuities: m.discontinuityStarts,
        target: m.targetDuration,
        partTarget: m.partTargetDuration,
        control: m.serverControl,
        skipped: m.skip && m.skip.skippedSegments,
        end: !!m.endList,
        type: m.playlistType,
        independent: !!m.independentSegments,
        segments: (m.segments || []).map(s => ({
            uri: s.uri,
            duration: s.duration,
            map: s.map && s.map.uri,
            date: s.dateTimeString,
            parts: (s.parts || []).map(p => p.uri),
            timeline: s.timeline,
        })),
        open: m.preloadSegment && {
            parts: (m.preloadSegment.parts || []).map(p => p.uri),
            hints: (m.preloadSegment.preloadHints || []).map(h => h.uri),
        },
        reports: (m.renditionReports || []).map(
            r => [r.uri, r.lastMsn, r.lastPart]),
        variants: (m.playlists || []).map(p => ({
            uri: p.uri,
            attributes: p.attributes,
        })),
        audio: m.mediaGroups && m.mediaGroups.AUDIO,
    };
}

function readHls(text) {
    hls.setOptions({strictMode: true, silent: true});

    const m = hls.parse(text);

    if (m.isMasterPlaylist) {
        return {
            version: m.version,
            independent: m.independentSegments,
            variants: m.variants.map(v => ({
                uri: v.uri,
                bandwidth: v.bandwidth,
                average: v.averageBandwidth,
                codecs: v.codecs,
                rate: v.frameRate,
                range: v.videoRange,
                size: v.resolution && `${v.resolution.width}x`
                                      + v.resolution.height,
                audio: v.audio.map(a => [a.groupId, a.name, a.language,
                                         a.channels, a.uri, a.isDefault]),
            })),
        };
    }

    return {
        version: m.version,
        target: m.targetDuration,
        partTarget: m.partTargetDuration,
        sequence: m.mediaSequenceBase,
        discontinuitySequence: m.discontinuitySequenceBase,
        control: m.lowLatencyCompatibility,
        skipped: m.skip,
        end: m.endlist,
        segments: m.segments.map(s => ({
            number: s.mediaSequenceNumber,
            uri: s.uri,
            duration: s.duration,
            discontinuity: s.discontinuity,
            map: s.map && s.map.uri,
            date: s.programDateTime && s.programDateTime.toISOString(),
            parts: s.parts.map(p => [p.uri, p.duration, !!p.independent,
                                     !!p.hint]),
        })),
        reports: m.renditionReports.map(r => [r.uri, r.lastMSN, r.lastPart]),
    };
}

function readMpd(text) {
    const warnings = [];

    const m = mpdParser.parse(text, {
        manifestUri: base + 'manifest.mpd',
        eventHandler: e => warnings.push(`${e.type}: ${e.message}`),
    });

    const list = p => ({
        attributes: p.attributes,
        target: p.targetDuration,
        sequence: p.mediaSequence,
        segments: p.segments.map(s => [s.uri, s.duration, s.number]),
        map: p.segments[0] && p.segments[0].map.uri,
    });

    const audio = {};

    for (const group of Object.values(m.mediaGroups.AUDIO)) {
        for (const [name, rendition] of Object.entries(group)) {
            audio[name] = {
                language: rendition.language,
                playlists: rendition.playlists.map(list),
            };
        }
    }

    return {
        warnings,
        duration: m.duration,
        end: m.endList,
        update: m.minimumUpdatePeriod,
        delay: m.suggestedPresentationDelay,
        timing: mpdParser.parseUTCTiming(text),
        periods: m.timelineStarts,
        video: m.playlists.map(list),
        audio,
    };
}

const result = {};

for (const file of process.argv.slice(2)) {
    const text = fs.readFileSync(file, 'utf8');
    const out = result[file] = {};

    if (text.startsWith('#EXTM3U')) {
        if (m3u8Parser) {
            out['m3u8-parser'] = guarded(() => readM3u8(text));
        }

        if (hls) {
            out['hls-parser'] = guarded(() => readHls(text));
        }

    } else if (mpdParser) {
        out['mpd-parser'] = guarded(() => readMpd(text));
    }
}

console.log(JSON.stringify(result, null, 1));
