
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Subtitles: files in WebVTT (W3C) and SubRip are read to cues, and cues are
 * written as WebVTT segments of HLS, RFC 8216bis, 3.1.4.
 *
 * What is read is UTF-8 without a byte order mark, see ngx_media_charset.h.
 * Readers are forgiving, as their standard says: what is no cue is skipped.
 * Cues are slices of what was read, and their text is escaped and cleaned
 * only as it is written, whatever it was.
 */


#ifndef _NGX_MEDIA_WEBVTT_H_INCLUDED_
#define _NGX_MEDIA_WEBVTT_H_INCLUDED_


#include "formats/ngx_media_fmt.h"
#include "formats/ngx_media_text.h"


/* cues that show at one time: more of them are not put together */
#define NGX_MEDIA_WEBVTT_SHOWN  32


/* what the text of a cue is */

typedef enum {
    NGX_MEDIA_CUE_VTT = 0,
    NGX_MEDIA_CUE_SRT,
    NGX_MEDIA_CUE_TX3G                        /* a whole sample, not empty */
} ngx_media_cue_form_e;


typedef enum {
    NGX_MEDIA_CUE = 0,
    NGX_MEDIA_CUE_STYLE,                      /* text: the whole block */
    NGX_MEDIA_CUE_REGION
} ngx_media_cue_kind_e;


typedef struct {
    int64_t                   start;          /* ms, >= 0 */
    int64_t                   end;            /* > start */
    ngx_media_span_t          id;
    ngx_media_span_t          settings;       /* of WebVTT */
    ngx_media_span_t          text;
    uint8_t                   form;           /* ngx_media_cue_form_e */
    uint8_t                   kind;           /* ngx_media_cue_kind_e */
} ngx_media_cue_t;


typedef struct {
    const u_char             *pos;
    const u_char             *last;
    unsigned                  srt:1;
    unsigned                  cues:1;         /* there was one: no styles and
                                                 regions any more */
} ngx_media_webvtt_reader_t;


/* the first line tells which of the two it is */
void ngx_media_webvtt_open(ngx_media_webvtt_reader_t *reader,
    const u_char *pos, const u_char *last);

/* the next cue, style or region, in the order of the file; NGX_DONE */
ngx_int_t ngx_media_webvtt_next(ngx_media_webvtt_reader_t *reader,
    ngx_media_cue_t *cue);

/*
 * All styles and regions, and the cues that show in [start, end); returns
 * how many there are, of which the first max are stored.
 */
ngx_uint_t ngx_media_webvtt_collect(ngx_media_webvtt_reader_t *reader,
    int64_t start, int64_t end, ngx_media_cue_t *cues, ngx_uint_t max);

/*
 * Adds the cue to *n others; one that goes on where the same cue ended makes
 * that longer.  NGX_DECLINED: there are max already.
 */
ngx_int_t ngx_media_webvtt_add(ngx_media_cue_t *cues, ngx_uint_t *n,
    ngx_uint_t max, const ngx_media_cue_t *cue);


/* a segment, or with map 0 a file */

typedef struct {
    const ngx_media_cue_t    *cues;           /* styles and regions first */
    ngx_uint_t                ncues;
    int64_t                   start;          /* ms: what shows in it */
    int64_t                   end;
    int64_t                   shift;          /* ms, added to times of cues */
    uint64_t                  mpegts;         /* 90 kHz, of which 33 bits are
                                                 written, of */
    int64_t                   local;          /* this time of a cue, shifted,
                                                 ms, >= 0 */
    unsigned                  map:1;          /* X-TIMESTAMP-MAP */
} ngx_media_webvtt_t;


/*
 * Writes at most size bytes and returns the length of the whole text; p may
 * be NULL if size is 0.  Longer than size: what was written is of no use.
 */
size_t ngx_media_webvtt_write(u_char *p, size_t size,
    const ngx_media_webvtt_t *view);

/* cue text and cue settings, as WebVTT has them; used by other writers too */
void ngx_media_webvtt_text(ngx_media_text_t *text,
    const ngx_media_cue_t *cue);
void ngx_media_webvtt_settings(ngx_media_text_t *text,
    const ngx_media_cue_t *cue);

/* one line of anything */
void ngx_media_webvtt_line(ngx_media_text_t *text,
    const ngx_media_span_t *line);


#endif /* _NGX_MEDIA_WEBVTT_H_INCLUDED_ */
