
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: memory/ngx_media_bitmap.c memory/ngx_media_buddy.c
         time/ngx_media_cadence.c time/ngx_media_line_audio.c
         time/ngx_media_line_video.c memory/ngx_media_notify.c
         memory/ngx_media_process.c time/ngx_media_segmenter.c
         core/ngx_media_read.c core/ngx_media_claim.c core/ngx_media_evict.c
         core/ngx_media_part.c core/ngx_media_stream.c
         core/ngx_media_stream_lock.c core/ngx_media_tail.c
         core/ngx_media_follow.c core/ngx_media_follow_reader.c
         time/ngx_media_timeline.c core/ngx_media_track.c
         core/ngx_media_stream_validate.c memory/ngx_media_zone_validate.c
         core/ngx_media_store_zone.c core/ngx_media_writer.c
         core/ngx_media_writer_part.c core/ngx_media_writer_describe.c
         core/ngx_media_writer_ready.c core/ngx_media_writer_still.c
         core/ngx_media_writer_track.c memory/ngx_media_zone.c
         core/ngx_media_packer.c core/ngx_media_derive.c
         core/ngx_media_derive_text.c core/ngx_media_writer_leave.c
         core/ngx_media_derive_source.c */
/* link: ingest/ngx_media_publish.c ingest/ngx_media_publish_ignore.c
         ingest/ngx_media_publish_mend.c ingest/ngx_media_publish_name.c */
/* link: packager/ngx_media_dash.c packager/ngx_media_hls.c
         packager/ngx_media_hls_multi.c packager/ngx_media_pack.c */
/* link: formats/ngx_media_aac.c formats/ngx_media_ac3.c
         formats/ngx_media_ac3_silence.c formats/ngx_media_adts.c
         formats/ngx_media_av1.c formats/ngx_media_bits.c
         formats/ngx_media_codec.c formats/ngx_media_crc.c
         formats/ngx_media_flac.c formats/ngx_media_h264.c
         formats/ngx_media_h264_still.c formats/ngx_media_h265.c
         formats/ngx_media_m3u8.c formats/ngx_media_mp3.c
         formats/ngx_media_mp4_chunk.c formats/ngx_media_mp4_desc.c
         formats/ngx_media_mp4_write.c formats/ngx_media_mpd.c
         formats/ngx_media_nal.c formats/ngx_media_opus.c
         formats/ngx_media_sets.c formats/ngx_media_text.c
         formats/ngx_media_ts_es.c formats/ngx_media_video.c
         formats/ngx_media_vpx.c formats/ngx_media_wvtt.c */
/* link: core/ngx_media_event.c core/ngx_media_packer_event.c
         core/ngx_media_writer_event.c ../unit/ngx_stub.c */


/*
 * The walk of t/unit/media_walk.h, whose random source is the input: byte 0
 * says what may happen.
 */


#include "media_walk.h"


#define STEPS  1500
#define CHECK  100


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static walk_t  w;

    if (size < 8) {
        return 0;
    }

    memset(&w, 0, sizeof(walk_t));

    w.fuzz = 1;
    w.data = data + 1;
    w.last = data + size;

    walk(&w, data[0] & (WALK_CODECS|WALK_RATES|WALK_MANY|WALK_NOMEM
                        |WALK_BLOCKS|WALK_DERIVED),
         STEPS, CHECK);

    if (w.wrong[0] || ngx_stub_pools) {
        printf("%s, pools: %d\n", w.wrong, (int) ngx_stub_pools);
        abort();
    }

    return 0;
}
