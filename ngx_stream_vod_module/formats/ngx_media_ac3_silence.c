
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * Frames of silence, ETSI TS 102 366.  The first block has the exponents of
 * each channel, all the same, the others reuse them; the SNR offset is zero,
 * so no mantissa has a bit (4.4.3.37, E.1.3), and without dither those are
 * zeros.  What is left of the frame is padding, and a CRC at its end.
 */


#include "formats/ngx_media_ac3.h"
#include "formats/ngx_media_bits.h"
#include "formats/ngx_media_bytes.h"
#include "formats/ngx_media_crc.h"


#define NGX_MEDIA_AC3_SYNC      0x0b77
#define NGX_MEDIA_AC3_BLOCKS    6
#define NGX_MEDIA_AC3_FRAME     1536          /* samples */

/*
 * chbwcod 0: 73 coefficients, in strategy D45 groups of 12 behind the first
 * one, 4.4.3.28; a group of three differences of 0
 */
#define NGX_MEDIA_AC3_GROUPS    6
#define NGX_MEDIA_AC3_LFE       2
#define NGX_MEDIA_AC3_FLAT      62
#define NGX_MEDIA_AC3_D45       3


/* zeroed memory that is written in bits */

typedef struct {
    u_char                   *start;
    size_t                    bit;
    size_t                    bits;           /* there are so many */
} ngx_media_ac3_put_t;


/* what a configuration says of a frame */

typedef struct {
    uint32_t                  fscod;
    uint32_t                  bsid;
    uint32_t                  bsmod;
    uint32_t                  acmod;
    uint32_t                  lfe;
    uint32_t                  channels;       /* without that */
} ngx_media_ac3_form_t;


static void ngx_media_ac3_done(ngx_media_silence_t *silence, size_t size,
    const ngx_media_params_t *params);
static void ngx_media_ac3_put(ngx_media_ac3_put_t *put, ngx_uint_t n,
    uint32_t value);
static void ngx_media_ac3_exponents(ngx_media_ac3_put_t *put,
    ngx_uint_t groups, ngx_uint_t lfe);
static void ngx_media_ac3_block(ngx_media_ac3_put_t *put,
    const ngx_media_ac3_form_t *form, ngx_uint_t first);
static void ngx_media_ac3_crc1(u_char *frame, size_t size);
static void ngx_media_eac3_head(ngx_media_ac3_put_t *put,
    const ngx_media_ac3_form_t *form, uint32_t words);
static void ngx_media_eac3_block(ngx_media_ac3_put_t *put,
    const ngx_media_ac3_form_t *form, ngx_uint_t first);


/* by acmod, 4.4.2.3 */

static const uint8_t  ngx_media_ac3_full[] = { 2, 1, 2, 3, 3, 4, 4, 5 };


/* of each bit rate, that of the stream: kbit/s, 4.4.1.4 */

static const uint16_t  ngx_media_ac3_bitrates[] = {
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448,
    512, 576, 640
};


ngx_int_t
ngx_media_ac3_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    size_t                size;
    uint32_t              code;
    ngx_uint_t            i;
    ngx_media_bits_t      br;
    ngx_media_ac3_put_t   put;
    ngx_media_ac3_form_t  form;

    /* F.4 */

    ngx_media_bits_init(&br, params->config,
                        params->config + params->config_len);

    form.fscod = ngx_media_bits_get(&br, 2);
    form.bsid = ngx_media_bits_get(&br, 5);
    form.bsmod = ngx_media_bits_get(&br, 3);
    form.acmod = ngx_media_bits_get(&br, 3);
    form.lfe = ngx_media_bits_get(&br, 1);
    code = ngx_media_bits_get(&br, 5);

    if (br.err || form.fscod == 3
        || code >= sizeof(ngx_media_ac3_bitrates) / sizeof(uint16_t))
    {
        return NGX_DECLINED;
    }

    form.channels = ngx_media_ac3_full[form.acmod];

    /* bytes by fscod; at 44.1 kHz whole words, the shorter frame */

    size = ngx_media_ac3_bitrates[code];
    size = (form.fscod == 0) ? size * 4
           : (form.fscod == 2) ? size * 6 : size * 96000 / 44100 * 2;

    ngx_memzero(silence->bytes, size);

    put.start = silence->bytes;
    put.bit = 0;
    put.bits = (size - 3) * 8;                /* auxdatae, crcrsv, crc2 */

    /* 4.3.1, 4.3.2 */

    ngx_media_ac3_put(&put, 16, NGX_MEDIA_AC3_SYNC);
    ngx_media_ac3_put(&put, 16, 0);           /* crc1 */
    ngx_media_ac3_put(&put, 2, form.fscod);
    ngx_media_ac3_put(&put, 6, code << 1);
    ngx_media_ac3_put(&put, 5, form.bsid);
    ngx_media_ac3_put(&put, 3, form.bsmod);
    ngx_media_ac3_put(&put, 3, form.acmod);

    if ((form.acmod & 1) && form.acmod != 1) {
        ngx_media_ac3_put(&put, 2, 0);        /* cmixlev */
    }

    if (form.acmod & 4) {
        ngx_media_ac3_put(&put, 2, 0);        /* surmixlev */
    }

    if (form.acmod == 2) {
        ngx_media_ac3_put(&put, 2, 0);        /* dsurmod */
    }

    ngx_media_ac3_put(&put, 1, form.lfe);

    /* dialnorm -31 dB, then no compr, langcod, audprod; in 1+1 twice */

    for (i = 0; i <= (form.acmod == 0); i++) {
        ngx_media_ac3_put(&put, 5, 31);
        ngx_media_ac3_put(&put, 3, 0);
    }

    /* copyrightb, origbs, timecod1e, timecod2e, addbsie */

    ngx_media_ac3_put(&put, 5, 0);

    for (i = 0; i < NGX_MEDIA_AC3_BLOCKS; i++) {
        ngx_media_ac3_block(&put, &form, i == 0);
    }

    if (put.bit > put.bits) {
        return NGX_DECLINED;
    }

    ngx_media_ac3_crc1(silence->bytes, size);

    ngx_media_ac3_done(silence, size, params);

    return NGX_OK;
}


/* crc2 is the end of both syntaxes */

static void
ngx_media_ac3_done(ngx_media_silence_t *silence, size_t size,
    const ngx_media_params_t *params)
{
    (void) ngx_media_put_be16(silence->bytes + size - 2,
                              ngx_media_crc16(silence->bytes + 2,
                                              silence->bytes + size - 2));

    silence->frame.pos = silence->bytes;
    silence->frame.last = silence->bytes + size;
    silence->samples = NGX_MEDIA_AC3_FRAME;
    silence->rate = params->sample_rate;
}


static void
ngx_media_ac3_put(ngx_media_ac3_put_t *put, ngx_uint_t n, uint32_t value)
{
    while (n--) {

        if (put->bit < put->bits && (value >> n & 1)) {
            put->start[put->bit / 8] |= 0x80 >> put->bit % 8;
        }

        put->bit++;
    }
}


/* 4.3.3 */

static void
ngx_media_ac3_block(ngx_media_ac3_put_t *put,
    const ngx_media_ac3_form_t *form, ngx_uint_t first)
{
    ngx_uint_t  i;

    ngx_media_ac3_put(put, form->channels, 0);              /* blksw */
    ngx_media_ac3_put(put, form->channels, 0);              /* dithflag */
    ngx_media_ac3_put(put, form->acmod ? 1 : 2, 0);         /* dynrnge */

    ngx_media_ac3_put(put, 1, first);                       /* cplstre, */
    ngx_media_ac3_put(put, first ? 1 : 0, 0);               /* cplinu */

    if (form->acmod == 2) {
        ngx_media_ac3_put(put, 1, first);                   /* rematstr, */
        ngx_media_ac3_put(put, first ? 4 : 0, 0);           /* rematflg */
    }

    for (i = 0; i < form->channels; i++) {                  /* chexpstr */
        ngx_media_ac3_put(put, 2, first ? NGX_MEDIA_AC3_D45 : 0);
    }

    ngx_media_ac3_put(put, form->lfe, first);               /* lfeexpstr */

    if (!first) {

        /* no baie, snroffste, deltbaie, skiple */

        ngx_media_ac3_put(put, 4, 0);
        return;
    }

    ngx_media_ac3_put(put, form->channels * 6, 0);          /* chbwcod */

    for (i = 0; i < form->channels; i++) {
        ngx_media_ac3_exponents(put, NGX_MEDIA_AC3_GROUPS, 0);
    }

    if (form->lfe) {
        ngx_media_ac3_exponents(put, NGX_MEDIA_AC3_LFE, 1);
    }

    ngx_media_ac3_put(put, 1, 1);                           /* baie: */
    ngx_media_ac3_put(put, 2 + 2 + 2 + 2 + 3, 0);

    ngx_media_ac3_put(put, 1, 1);                           /* snroffste: */
    ngx_media_ac3_put(put, 6, 0);                           /* csnroffst */

    for (i = 0; i < form->channels + form->lfe; i++) {
        ngx_media_ac3_put(put, 4 + 3, 0);                   /* fsnr, fgain */
    }

    ngx_media_ac3_put(put, 2, 0);                           /* deltbaie.. */
}


/* the first one, differences of zero, and gainrng, which the LFE has not */

static void
ngx_media_ac3_exponents(ngx_media_ac3_put_t *put, ngx_uint_t groups,
    ngx_uint_t lfe)
{
    ngx_media_ac3_put(put, 4, 15);

    while (groups--) {
        ngx_media_ac3_put(put, 7, NGX_MEDIA_AC3_FLAT);
    }

    ngx_media_ac3_put(put, lfe ? 0 : 2, 0);
}


/*
 * 6.1.7: 5/8 of the frame, less the sync word, have a remainder of zero.  So
 * what comes before is the remainder of what follows, divided by x as often
 * as that has bits.
 */

static void
ngx_media_ac3_crc1(u_char *frame, size_t size)
{
    size_t    n, words;
    uint32_t  crc;

    words = size / 2;
    n = ((words >> 1) + (words >> 3)) * 2;

    crc = ngx_media_crc16(frame + 4, frame + n);

    for (n = (n - 4) * 8 + 16; n; n--) {
        crc = (crc & 1) ? (crc ^ 0x8005) >> 1 | 0x8000 : crc >> 1;
    }

    (void) ngx_media_put_be16(frame + 2, crc);
}


/* a single substream, and nothing that depends on it: F.6 */

ngx_int_t
ngx_media_eac3_silence(const ngx_media_params_t *params,
    ngx_media_silence_t *silence)
{
    size_t                size;
    uint32_t              more;
    ngx_uint_t            i, pass;
    ngx_media_bits_t      br;
    ngx_media_ac3_put_t   put;
    ngx_media_ac3_form_t  form;

    ngx_media_bits_init(&br, params->config,
                        params->config + params->config_len);

    ngx_media_bits_skip(&br, 13);
    more = ngx_media_bits_get(&br, 3);
    form.fscod = ngx_media_bits_get(&br, 2);
    form.bsid = ngx_media_bits_get(&br, 5);
    ngx_media_bits_skip(&br, 2);
    form.bsmod = ngx_media_bits_get(&br, 3);
    form.acmod = ngx_media_bits_get(&br, 3);
    form.lfe = ngx_media_bits_get(&br, 1);
    ngx_media_bits_skip(&br, 3);
    more += ngx_media_bits_get(&br, 4);

    if (br.err || more || form.fscod == 3 || form.bsid != 16) {
        return NGX_DECLINED;
    }

    form.channels = ngx_media_ac3_full[form.acmod];
    size = NGX_MEDIA_SILENCE_MAX;

    /* how much it is, and then it says so */

    for (pass = 0; pass < 2; pass++) {
        ngx_memzero(silence->bytes, size);

        put.start = silence->bytes;
        put.bit = 0;
        put.bits = size * 8;

        ngx_media_eac3_head(&put, &form, (uint32_t) size / 2);

        for (i = 0; i < NGX_MEDIA_AC3_BLOCKS; i++) {
            ngx_media_eac3_block(&put, &form, i == 0);
        }

        /* auxdatae, encinfo, crc2; words */

        size = (put.bit + 1 + 1 + 16 + 15) / 16 * 2;
    }

    ngx_media_ac3_done(silence, size, params);

    return NGX_OK;
}


/* E.1.2.1, E.1.2.2, E.1.2.3 */

static void
ngx_media_eac3_head(ngx_media_ac3_put_t *put,
    const ngx_media_ac3_form_t *form, uint32_t words)
{
    ngx_uint_t  block, i;

    ngx_media_ac3_put(put, 16, NGX_MEDIA_AC3_SYNC);
    ngx_media_ac3_put(put, 2 + 3, 0);         /* strmtyp, substreamid */
    ngx_media_ac3_put(put, 11, words - 1);
    ngx_media_ac3_put(put, 2, form->fscod);
    ngx_media_ac3_put(put, 2, 3);             /* numblkscod: 6 */
    ngx_media_ac3_put(put, 3, form->acmod);
    ngx_media_ac3_put(put, 1, form->lfe);
    ngx_media_ac3_put(put, 5, form->bsid);

    for (i = 0; i <= (form->acmod == 0); i++) {
        ngx_media_ac3_put(put, 5, 31);        /* dialnorm */
        ngx_media_ac3_put(put, 1, 0);         /* compre */
    }

    ngx_media_ac3_put(put, 3, 0);             /* mixmdate, infomdate, addbsie */

    ngx_media_ac3_put(put, 2, 2);             /* expstre, no ahte */
    ngx_media_ac3_put(put, 2, 0);             /* snroffststr: one for all */
    ngx_media_ac3_put(put, 2, 0);             /* transproce, blkswe */
    ngx_media_ac3_put(put, 1, 1);             /* dithflage */

    /* bamode, frmfgaincode, dbaflde, skipflde, spxattene */

    ngx_media_ac3_put(put, 5, 0);

    if (form->acmod > 1) {
        ngx_media_ac3_put(put, 1, 0);         /* cplinu, */
        ngx_media_ac3_put(put, NGX_MEDIA_AC3_BLOCKS - 1, 0);  /* cplstre */
    }

    for (block = 0; block < NGX_MEDIA_AC3_BLOCKS; block++) {
        for (i = 0; i < form->channels; i++) {
            ngx_media_ac3_put(put, 2, block ? 0 : NGX_MEDIA_AC3_D45);
        }
    }

    for (block = 0; block < NGX_MEDIA_AC3_BLOCKS && form->lfe; block++) {
        ngx_media_ac3_put(put, 1, block == 0);
    }

    ngx_media_ac3_put(put, form->channels * 5, 0);  /* convexpstr */
    ngx_media_ac3_put(put, 6 + 4, 0);         /* frmcsnroffst, frmfsnroffst */
    ngx_media_ac3_put(put, 1, 0);             /* blkstrtinfoe */
}


/* E.1.2.4 */

static void
ngx_media_eac3_block(ngx_media_ac3_put_t *put,
    const ngx_media_ac3_form_t *form, ngx_uint_t first)
{
    ngx_uint_t  i;

    ngx_media_ac3_put(put, form->channels, 0);              /* dithflag */
    ngx_media_ac3_put(put, form->acmod ? 1 : 2, 0);         /* dynrnge */
    ngx_media_ac3_put(put, 1, 0);             /* spxinu, or spxstre */

    if (form->acmod == 2) {
        ngx_media_ac3_put(put, first ? 4 : 1, 0);  /* rematflg; rematstr */
    }

    if (first) {
        ngx_media_ac3_put(put, form->channels * 6, 0);      /* chbwcod */

        for (i = 0; i < form->channels; i++) {
            ngx_media_ac3_exponents(put, NGX_MEDIA_AC3_GROUPS, 0);
        }

        if (form->lfe) {
            ngx_media_ac3_exponents(put, NGX_MEDIA_AC3_LFE, 1);
        }
    }

    ngx_media_ac3_put(put, 1, 0);             /* convsnroffste */
}
