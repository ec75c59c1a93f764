
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_media_metric.h"
#include "memory/ngx_media_cache.h"


#define ngx_media_metric_app(name, type, metric, unit, field, help)           \
    ngx_media_metric_field(ngx_media_app_t, name, type, metric, NULL, unit,   \
                         field, help)

#define ngx_media_metric_zone(name, type, metric, field, help)                \
    ngx_media_metric_field(ngx_media_zone_stat_t, name, type, metric, NULL, 1, \
                         field, help)

#define ngx_media_metric_refuse(label, kind)                                  \
    ngx_media_metric_field(ngx_media_zone_stat_t, "", COUNTER,                \
                         "publish_refused", "reason=\"" label "\"", 1,        \
                         refusals[NGX_MEDIA_REFUSED_##kind],                  \
                         "Publishers that were turned away, by reason")

#define ngx_media_metric_state(label, field)                                  \
    ngx_media_metric_field(ngx_media_streams_stat_t, "", GAUGE, "streams",    \
                         "state=\"" label "\"", 1, field,                     \
                         "Streams, by state")

#define ngx_media_metric_cache(name, type, metric, field, help)               \
    ngx_media_metric_field(ngx_media_cache_stat_t, name, type, metric, NULL,  \
                         1, field, help)

#define ngx_media_metric_stream(name, type, metric, unit, field, help)        \
    ngx_media_metric_field(ngx_media_stream_stat_t, name, type, metric, NULL, \
                         unit, field, help)

#define ngx_media_metric_ignore(name, kind)                                   \
    ngx_media_metric_field(ngx_media_stream_stat_t, name, COUNTER,            \
                         "stream_ignored", "reason=\"" name "\"", 1,          \
                         ignored[NGX_MEDIA_IGNORED_##kind],                   \
                         "What publishers sent and was of no use, by reason")

#define ngx_media_metric_track(name, type, metric, unit, field, help)         \
    ngx_media_metric_field(ngx_media_track_stat_t, name, type, metric, NULL,  \
                         unit, field, help)

#define ngx_media_metric_link(name, metric, counter, help)                    \
    ngx_media_metric_field(ngx_media_stream_stat_t, name, COUNTER,            \
                         "stream_link_" metric, NULL, 1,                      \
                         link.count[NGX_MEDIA_LINK_##counter], help)

#define ngx_media_metric_ts(name, metric, counter, help)                      \
    ngx_media_metric_field(ngx_media_stream_stat_t, name, COUNTER,            \
                         "stream_ts_" metric, NULL, 1,                        \
                         link.count[NGX_MEDIA_LINK_TS_##counter], help)

#define ngx_media_metric_drop(name, reason)                                   \
    ngx_media_metric_field(ngx_media_track_stat_t, name, COUNTER,             \
                         "track_dropped_frames", "reason=\"" #reason "\"",    \
                         1, dropped_##reason, "Frames dropped, by reason")


const ngx_media_metric_t  ngx_media_metric_apps[] = {

    ngx_media_metric_status(ngx_media_app_t, "target_duration_s", target),
    ngx_media_metric_status(ngx_media_app_t, "segment_ms", segment),
    ngx_media_metric_status(ngx_media_app_t, "segment_max_ms", segment_max),
    ngx_media_metric_status(ngx_media_app_t, "part_ms", part),
    ngx_media_metric_status(ngx_media_app_t, "window_ms", window),
    ngx_media_metric_status(ngx_media_app_t, "grace_ms", grace),
    ngx_media_metric_app("", GAUGE, "streams_max", 1, max_streams,
        "Streams that the application may have"),

    ngx_media_metric_end
};


const ngx_media_metric_t  ngx_media_metric_zones[] = {

    ngx_media_metric_zone("size", GAUGE, "zone_size_bytes", size,
        "The most memory that payload may take"),
    ngx_media_metric_zone("used", GAUGE, "zone_used_bytes", used,
        "Memory that payload takes"),
    ngx_media_metric_status(ngx_media_zone_stat_t, "blocks", blocks),
    ngx_media_metric_zone("records_size", GAUGE, "zone_records_size_bytes",
        records_size, "Room for records"),
    ngx_media_metric_zone("records_used", GAUGE, "zone_records_used_bytes",
        records_used, "What records take"),
    ngx_media_metric_status(ngx_media_zone_stat_t, "extents", extents),
    ngx_media_metric_zone("limbo", GAUGE, "zone_limbo_extents", limbo,
        "Runs of memory that are given up and still being sent"),
    ngx_media_metric_zone("pins", GAUGE, "zone_pins", pins,
        "Runs of memory that responses are being sent from"),
    ngx_media_metric_zone("processes", GAUGE, "zone_processes", rows,
        "Processes that use the memory"),
    ngx_media_metric_zone("waiters", GAUGE, "zone_waiters", waiters,
        "Processes that wait for streams, summed over these"),
    ngx_media_metric_status(ngx_media_zone_stat_t, "streams", streams),
    ngx_media_metric_status(ngx_media_zone_stat_t, "publishers", publishers),
    ngx_media_metric_zone("published", COUNTER, "publishes", published,
        "Publishers that came in"),
    ngx_media_metric_status(ngx_media_zone_stat_t, "refused", refused),
    ngx_media_metric_refuse("denied", DENIED),
    ngx_media_metric_refuse("late", LATE),
    ngx_media_metric_refuse("conflict", CONFLICT),
    ngx_media_metric_refuse("streams", STREAMS),
    ngx_media_metric_refuse("name", NAME),
    ngx_media_metric_refuse("hurry", HURRY),
    ngx_media_metric_refuse("restart", RESTART),
    ngx_media_metric_refuse("nomem", NOMEM),
    ngx_media_metric_refuse("protocol", PROTOCOL),
    ngx_media_metric_zone("expired", COUNTER, "streams_expired", expired,
        "Streams that were removed"),
    ngx_media_metric_zone("evictions", COUNTER, "zone_evictions", evictions,
        "Segments that went early for want of memory"),
    ngx_media_metric_zone("nomem", COUNTER, "zone_nomem", nomem,
        "Times when there was not enough memory at first"),
    ngx_media_metric_zone("swept", COUNTER, "zone_swept", swept,
        "Processes that died and were cleaned up after"),

    ngx_media_metric_end
};


const ngx_media_metric_t  ngx_media_metric_states[] = {

    ngx_media_metric_state("live", live),
    ngx_media_metric_state("grace", grace),
    ngx_media_metric_state("ended", ended),
    ngx_media_metric_field(ngx_media_streams_stat_t, "", GAUGE,
        "streams_omitted", NULL, 1, omitted,
        "Streams that are summed, not listed"),

    ngx_media_metric_end
};


const ngx_media_metric_t  ngx_media_metric_caches[] = {

    ngx_media_metric_cache("size", GAUGE, "cache_size_bytes", size,
        "Room for what is kept of files"),
    ngx_media_metric_cache("used", GAUGE, "cache_used_bytes", used,
        "What is kept of files"),
    ngx_media_metric_cache("entries", GAUGE, "cache_entries", entries,
        "Indexes and sets that are kept"),
    ngx_media_metric_cache("pins", GAUGE, "cache_pins", pins,
        "Uses of what is kept"),
    ngx_media_metric_cache("hits", COUNTER, "cache_hits", hits,
        "Indexes and sets that were found"),
    ngx_media_metric_cache("misses", COUNTER, "cache_misses", misses,
        "Indexes and sets that were made"),
    ngx_media_metric_cache("evictions", COUNTER, "cache_evictions", evicted,
        "Indexes and sets dropped for want of room"),
    ngx_media_metric_cache("nomem", COUNTER, "cache_nomem", nomem,
        "Indexes and sets that found no room even so"),

    ngx_media_metric_end
};


/* of vod/ngx_media_vod_want.h, in its order */

const ngx_media_metric_t  ngx_media_metric_ladders[] = {

    ngx_media_metric_cache("made", COUNTER, "ladder_segments", counts[0],
        "Segments of rungs of files that were made"),
    ngx_media_metric_field(ngx_media_cache_stat_t, "made_ms", COUNTER,
        "ladder_media_seconds", NULL, 1000, counts[1],
        "How long these last"),
    ngx_media_metric_field(ngx_media_cache_stat_t, "cpu_ms", COUNTER,
        "ladder_cpu_seconds", NULL, 1000, counts[2],
        "CPU time they took"),
    ngx_media_metric_cache("hits", COUNTER, "ladder_hits", counts[3],
        "Segments of rungs that were there already"),
    ngx_media_metric_cache("waited", COUNTER, "ladder_waits", counts[4],
        "Requests that waited for a segment of a rung"),
    ngx_media_metric_cache("rejected", COUNTER, "ladder_rejected", counts[5],
        "Segments of rungs that too many others waited for"),
    ngx_media_metric_cache("cancelled", COUNTER, "ladder_cancelled",
        counts[6], "Segments of rungs that nobody waited for any more"),
    ngx_media_metric_cache("failed", COUNTER, "ladder_failed", counts[7],
        "Segments of rungs that could not be made"),

    ngx_media_metric_end
};


const ngx_media_metric_t  ngx_media_metric_streams[] = {

    ngx_media_metric_stream("", SUM, "stream_up", 1, up,
        "Whether it is live"),
    ngx_media_metric_stream("", SUM, "stream_publisher_up", 1, connected,
        "Whether its publisher is connected"),
    ngx_media_metric_signed(ngx_media_stream_stat_t, "", GAUGE,
        "stream_start_time_seconds", 1000, born,
        "When it was published first, since the epoch"),
    ngx_media_metric_status(ngx_media_stream_stat_t, "waiters", waiters),
    ngx_media_metric_stream("publishes", COUNTER, "stream_publishes", 1,
        publishes, "Publishers it has had"),
    ngx_media_metric_stream("periods", COUNTER, "stream_periods", 1, periods,
        "Periods it has had"),
    ngx_media_metric_stream("anchors", COUNTER, "stream_anchors", 1, anchors,
        "Times when its wall clock was set anew"),
    ngx_media_metric_stream("jumps", COUNTER, "stream_jumps", 1, jumps,
        "Times when time stamps jumped"),
    ngx_media_metric_stream("data", COUNTER, "stream_data", 1, data,
        "Timed data that came"),
    ngx_media_metric_stream("data_late", COUNTER, "stream_data_late", 1,
        data_late, "Timed data whose time was over when it came"),
    ngx_media_metric_stream("data_dropped", COUNTER, "stream_data_dropped", 1,
        data_dropped, "Timed data that there was no room for"),
    ngx_media_metric_stream("evictions", COUNTER, "stream_evictions", 1,
        evictions, "Its segments that went early for want of memory"),
    ngx_media_metric_stream("used", SUM, "stream_used_bytes", 1, used,
        "Payload that it holds"),
    ngx_media_metric_signed(ngx_media_stream_stat_t, "", GAUGE,
        "stream_drift_seconds", 1000, drift,
        "How far its encoder's clock is from ours"),

    ngx_media_metric_end
};


const ngx_media_metric_t  ngx_media_metric_ignored[] = {

    ngx_media_metric_ignore("messages", MESSAGE),
    ngx_media_metric_ignore("frames", FRAME),
    ngx_media_metric_ignore("units", UNIT),
    ngx_media_metric_ignore("configurations", CONFIG),
    ngx_media_metric_ignore("unconfigured", UNCONFIGURED),
    ngx_media_metric_ignore("codec", CODEC),
    ngx_media_metric_ignore("track", TRACK),
    ngx_media_metric_ignore("empty", EMPTY),
    ngx_media_metric_ignore("data", DATA),

    ngx_media_metric_end
};


/* where they are counted */

const ngx_media_metric_t  ngx_media_metric_viewers[] = {

    ngx_media_metric_stream("viewers", SUM, "stream_viewers", 1, viewers,
        "Viewers that it has"),

    ngx_media_metric_end
};


/* where packets may be lost */

const ngx_media_metric_t  ngx_media_metric_links[] = {

    ngx_media_metric_link("pktRecv", "packets", PACKETS,
        "Packets that came"),
    ngx_media_metric_link("byteRecv", "bytes", BYTES,
        "Bytes of their payload"),
    ngx_media_metric_link("pktRcvLoss", "lost_packets", LOST,
        "Packets that were missing at first"),
    ngx_media_metric_link("pktRcvDrop", "dropped_packets", DROPPED,
        "Packets that were not there when it was their time"),
    ngx_media_metric_link("pktRcvBelated", "belated_packets", BELATED,
        "Packets that came after their time"),
    ngx_media_metric_link("kernel_drops", "kernel_dropped_packets", OVERFLOWS,
        "Packets that the kernel had no room for"),
    ngx_media_metric_link("strange", "strange_packets", STRANGE,
        "Packets that are not what they should be"),
    ngx_media_metric_link("foreign", "foreign_packets", FOREIGN,
        "Packets of others than its publisher"),

    ngx_media_metric_end
};


/* where they are answered, and asked for once more */

const ngx_media_metric_t  ngx_media_metric_links_srt[] = {

    ngx_media_metric_link("pktRcvRetrans", "retransmitted_packets",
        RETRANSMITTED, "Packets that came as repeated ones"),
    ngx_media_metric_link("pktRcvUndecrypt", "undecrypted_packets",
        UNDECRYPTED, "Packets that there was no key for"),
    ngx_media_metric_link("pktSentACK", "acks", ACKS,
        "Acknowledgements sent"),
    ngx_media_metric_link("pktSentNAK", "naks", NAKS,
        "Requests for missing packets sent"),
    ngx_media_metric_link("key_changes", "key_changes", KEYS,
        "New keys that the publisher has sent"),
    ngx_media_metric_stream("", GAUGE, "stream_link_rtt_seconds", 1000000,
        link.now.rtt, "Round trip time to the publisher"),
    ngx_media_metric_stream("", GAUGE, "stream_link_latency_seconds", 1000,
        link.now.latency, "Latency that was agreed upon"),
    ngx_media_metric_stream("", SUM, "stream_link_held_packets", 1,
        link.now.held, "Packets that wait for their time"),

    ngx_media_metric_end
};


/* what is in them */

const ngx_media_metric_t  ngx_media_metric_links_ts[] = {

    ngx_media_metric_ts("packets", "packets", PACKETS,
        "Packets of MPEG-TS that came"),
    ngx_media_metric_ts("bytes", "bytes", BYTES,
        "Bytes of them"),
    ngx_media_metric_ts("cc_errors", "cc_errors", CC,
        "Gaps in MPEG-TS, by its continuity counters"),
    ngx_media_metric_ts("transport_errors", "transport_errors", ERRORS,
        "Packets of MPEG-TS that say that they are broken"),
    ngx_media_metric_ts("scrambled", "scrambled_packets", SCRAMBLED,
        "Packets of MPEG-TS that are scrambled"),
    ngx_media_metric_ts("malformed", "malformed_packets", MALFORMED,
        "Packets and sections of MPEG-TS that are malformed"),
    ngx_media_metric_ts("ignored", "ignored_packets", IGNORED,
        "Packets of PIDs that are not read"),
    ngx_media_metric_ts("duplicates", "duplicate_packets", DUPLICATES,
        "Packets of MPEG-TS that came twice"),
    ngx_media_metric_ts("resyncs", "resyncs", RESYNCS,
        "Times when sync bytes were lost"),
    ngx_media_metric_ts("skipped_bytes", "skipped_bytes", SKIPPED,
        "Bytes that are no packets of MPEG-TS"),
    ngx_media_metric_ts("damaged_frames", "damaged_frames", DAMAGED,
        "Frames left out, since parts of them were missing"),
    ngx_media_metric_ts("clock_jumps", "clock_jumps", JUMPS,
        "Times when the clock of MPEG-TS jumped"),

    ngx_media_metric_end
};


const ngx_media_metric_t  ngx_media_metric_tracks[] = {

    ngx_media_metric_status(ngx_media_track_stat_t, "bitrate", bitrate),
    ngx_media_metric_status(ngx_media_track_stat_t, "bandwidth", bandwidth),
    ngx_media_metric_status(ngx_media_track_stat_t, "average_bandwidth",
                            average),
    ngx_media_metric_status(ngx_media_track_stat_t, "key_interval_ms",
                            key_interval),
    ngx_media_metric_status(ngx_media_track_stat_t, "key_interval_max_ms",
                            key_interval_max),
    ngx_media_metric_track("frames", COUNTER, "track_frames", 1, frames,
        "Frames that came"),
    ngx_media_metric_track("key_frames", COUNTER, "track_key_frames", 1, keys,
        "Frames that decoding can begin with"),
    ngx_media_metric_track("bytes", COUNTER, "track_bytes", 1, bytes,
        "Bytes of frames"),
    ngx_media_metric_track("segments", COUNTER, "track_segments", 1, segments,
        "Complete segments"),
    ngx_media_metric_track("parts", COUNTER, "track_parts", 1, parts,
        "Complete parts"),
    ngx_media_metric_track("parts_late", COUNTER, "track_parts_late", 1,
        parts_late, "Parts that had to wait for the next frame"),
    ngx_media_metric_track("parts_over", COUNTER, "track_parts_over", 1,
        parts_over, "Parts of one frame that is longer than PART-TARGET"),
    ngx_media_metric_track("forced_cuts", COUNTER, "track_forced_cuts", 1,
        forced_cuts, "Segments that ended without a key frame"),
    ngx_media_metric_track("silent_frames", COUNTER, "track_silent_frames", 1,
        silent_frames, "Silence fed where audio was missing"),
    ngx_media_metric_track("repeated_frames", COUNTER,
        "track_repeated_frames", 1, repeated_frames,
        "Frames put out once more to hold a picture"),
    ngx_media_metric_drop("dropped_late", late),
    ngx_media_metric_drop("dropped_key", key),
    ngx_media_metric_drop("dropped_nomem", nomem),
    ngx_media_metric_drop("dropped_bad", bad),
    ngx_media_metric_status(ngx_media_track_stat_t, "kept_segments",
                            kept_segments),
    ngx_media_metric_status(ngx_media_track_stat_t, "kept_bytes", kept_bytes),
    ngx_media_metric_status(ngx_media_track_stat_t, "first_segment", first),
    ngx_media_metric_status(ngx_media_track_stat_t, "last_segment", last),

    ngx_media_metric_end
};


/* what audio has none of, or where it says nothing */

const ngx_media_metric_t  ngx_media_metric_videos[] = {

    ngx_media_metric_track("", GAUGE, "track_key_interval_seconds", 1000,
        key_interval, "Time between the last two key frames"),
    ngx_media_metric_track("", GAUGE, "track_fps", 1000, fps,
        "Frames a second, as measured"),

    ngx_media_metric_end
};


uint64_t
ngx_media_metric_value(const ngx_media_metric_t *row, const void *data)
{
    uint32_t       word;
    uint64_t       value;
    const u_char  *p;

    p = (const u_char *) data + row->offset;

    if (row->size == sizeof(uint32_t)) {
        ngx_memcpy(&word, p, sizeof(uint32_t));
        return word;
    }

    ngx_memcpy(&value, p, sizeof(uint64_t));

    return value;
}


/* fields that are summed have 64 bits */

void
ngx_media_metric_add(const ngx_media_metric_t *rows, void *sum,
    const void *data)
{
    uint64_t                   value;
    const ngx_media_metric_t  *row;

    for (row = rows; row->size; row++) {

        if (row->type < NGX_MEDIA_METRIC_SUM
            || row->size != sizeof(uint64_t))
        {
            continue;
        }

        value = ngx_media_metric_value(row, sum)
                + ngx_media_metric_value(row, data);

        ngx_memcpy((u_char *) sum + row->offset, &value, sizeof(uint64_t));
    }
}


void
ngx_media_metric_json(ngx_media_text_t *text, const ngx_media_metric_t *rows,
    const void *data)
{
    const ngx_media_metric_t  *row;

    for (row = rows; row->size; row++) {

        if (row->name.len == 0) {
            continue;
        }

        ngx_media_text_cstr(text, ",\"");
        ngx_media_text_str(text, &row->name);
        ngx_media_text_cstr(text, "\":");
        ngx_media_text_u64(text, ngx_media_metric_value(row, data));
    }
}
