
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Flags of movie fragments, ISO/IEC 14496-12, 8.8.
 */


#ifndef _NGX_MEDIA_MP4_FIELDS_H_INCLUDED_
#define _NGX_MEDIA_MP4_FIELDS_H_INCLUDED_


/* sample_depends_on, sample_is_non_sync_sample, 8.8.3.1 */
#define NGX_MEDIA_MP4_SYNC             0x02000000
#define NGX_MEDIA_MP4_NON_SYNC         0x01010000
#define NGX_MEDIA_MP4_NON_SYNC_FLAG    0x00010000

/* tf_flags, 8.8.7.1 */
#define NGX_MEDIA_MP4_TFHD_OFFSET      0x000001
#define NGX_MEDIA_MP4_TFHD_DESCRIPTION 0x000002
#define NGX_MEDIA_MP4_TFHD_DURATION    0x000008
#define NGX_MEDIA_MP4_TFHD_SIZE        0x000010
#define NGX_MEDIA_MP4_TFHD_FLAGS       0x000020
#define NGX_MEDIA_MP4_TFHD_MOOF_BASE   0x020000

/* tr_flags, 8.8.8.1 */
#define NGX_MEDIA_MP4_TRUN_OFFSET      0x000001
#define NGX_MEDIA_MP4_TRUN_FIRST       0x000004
#define NGX_MEDIA_MP4_TRUN_DURATION    0x000100
#define NGX_MEDIA_MP4_TRUN_SIZE        0x000200
#define NGX_MEDIA_MP4_TRUN_FLAGS       0x000400
#define NGX_MEDIA_MP4_TRUN_CTO         0x000800


#endif /* _NGX_MEDIA_MP4_FIELDS_H_INCLUDED_ */
