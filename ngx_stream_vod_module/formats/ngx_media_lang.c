
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


#include "formats/ngx_media_lang.h"
#include "formats/ngx_media_text.h"


static ngx_uint_t ngx_media_lang_subtag(const u_char *p,
    const u_char *last, ngx_uint_t first);
static void ngx_media_lang_case(u_char *p, size_t len, ngx_uint_t first);
static const char *ngx_media_lang_find(const u_char *code);


/*
 * ISO 639-2, /T and /B, and the ISO 639-1 code of the same language, which
 * is what RFC 5646, 2.2.1, asks for
 */

static const char  ngx_media_langs[] =
    "aaraa abkab afraf akaak albsq amham araar argan armhy asmas avaav "
    "aveae aymay azeaz bakba bambm baqeu belbe benbn bihbh bisbi bodbo "
    "bosbs brebr bulbg burmy catca cescs chach chece chizh chucu chvcv "
    "corkw cosco crecr cymcy czecs danda deude divdv dutnl dzodz ellel "
    "engen epoeo estet euseu eweee faofo fasfa fijfj finfi frafr frefr "
    "fryfy fulff geoka gerde glagd glega glggl glvgv greel grngn gujgu "
    "hatht hauha hebhe herhz hinhi hmoho hrvhr hunhu hyehy iboig iceis "
    "idoio iiiii ikuiu ileie inaia indid ipkik islis itait javjv jpnja "
    "kalkl kankn kasks katka kaukr kazkk khmkm kikki kinrw kirky komkv "
    "konkg korko kuakj kurku laolo latla lavlv limli linln litlt ltzlb "
    "lublu luglg macmk mahmh malml maomi marmr mayms mkdmk mlgmg mltmt "
    "monmn mrimi msams myamy nauna navnv nblnr ndend ndong nepne nldnl "
    "nnonn nobnb norno nyany ocioc ojioj orior ormom ossos panpa perfa "
    "plipi polpl porpt pusps quequ rohrm ronro rumro runrn rusru sagsg "
    "sansa sinsi slksk slosk slvsl smese smosm snasn sndsd somso sotst "
    "spaes sqisq srdsc srpsr sswss sunsu swasw swesv tahty tamta tattt "
    "telte tgktg tgltl thath tibbo tirti tonto tsntn tsots tuktk turtr "
    "twitw uigug ukruk urdur uzbuz venve vievi volvo welcy wlnwa wolwo "
    "xhoxh yidyi yoryo zhaza zhozh zulzu ";


void
ngx_media_lang(u_char *dst, const u_char *p, size_t len)
{
    u_char        *begin, *d;
    const char    *code;
    ngx_uint_t     first;
    const u_char  *last, *next;

    last = p + len;
    d = dst;
    first = 1;

    while (p < last) {

        for (next = p; next < last; next++) {
            if (*next == '-' || *next == '_') {
                break;
            }
        }

        /* no language, or what follows one that is wrong: not told */

        if (!ngx_media_lang_subtag(p, next, first)
            || (size_t) (next - p)
               >= NGX_MEDIA_LANG - 1 - (size_t) (d - dst))
        {
            break;
        }

        if (!first) {
            *d++ = '-';
        }

        begin = d;
        d = ngx_cpymem(d, p, next - p);

        ngx_media_lang_case(begin, d - begin, first);

        if (first && d - begin == 3) {

            if (ngx_memcmp(begin, "und", 3) == 0) {
                d = dst;
                break;
            }

            code = ngx_media_lang_find(begin);

            if (code) {
                d = ngx_cpymem(begin, code, 2);
            }
        }

        first = 0;
        p = (next < last) ? next + 1 : next;
    }

    *d = '\0';
}


ngx_uint_t
ngx_media_lang_known(const u_char *p, size_t len)
{
    size_t       i;
    u_char       code[3];
    const char  *q;

    if (len != 2 && len != 3) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        code[i] = ngx_tolower(p[i]);
    }

    if (len == 3) {
        return ngx_media_lang_find(code) != NULL;
    }

    for (q = ngx_media_langs; *q; q += 6) {
        if (ngx_memcmp(q + 3, code, 2) == 0) {
            return 1;
        }
    }

    return 0;
}


/* RFC 5646, 2.1: the first one has letters only */

static ngx_uint_t
ngx_media_lang_subtag(const u_char *p, const u_char *last,
    ngx_uint_t first)
{
    u_char  ch;

    if (last - p > 8 || last - p < (first ? 2 : 1)
        || (first && last - p > 3))
    {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {
        ch = *p | 0x20;

        if ((ch < 'a' || ch > 'z') && (first || *p < '0' || *p > '9')) {
            return 0;
        }
    }

    return 1;
}


/* RFC 5646, 2.1.1: "sr-Latn-RS" */

static void
ngx_media_lang_case(u_char *p, size_t len, ngx_uint_t first)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (!first && (len == 2 || (len == 4 && i == 0))) {
            p[i] = ngx_toupper(p[i]);

        } else {
            p[i] = ngx_tolower(p[i]);
        }
    }
}


/* NULL: it has none */

static const char *
ngx_media_lang_find(const u_char *code)
{
    const char  *p;

    for (p = ngx_media_langs; *p; p += 6) {
        if (ngx_memcmp(p, code, 3) == 0) {
            return p + 3;
        }
    }

    return NULL;
}


/*
 * Where there are two, the one of /T begins as the short one does; if both
 * do, or none, it is the last
 */

void
ngx_media_lang_code(u_char *code, const u_char *lang)
{
    size_t       len;
    const char  *p;

    for (len = 0; len < 4; len++) {
        if (lang[len] == '\0' || lang[len] == '-') {
            break;
        }
    }

    ngx_memcpy(code, (len == 3) ? lang : (u_char *) "und", 3);

    if (len != 2) {
        return;
    }

    for (p = ngx_media_langs; *p; p += 6) {

        if ((u_char) p[3] != lang[0] || (u_char) p[4] != lang[1]) {
            continue;
        }

        ngx_memcpy(code, p, 3);

        if (p[0] == p[3] && p[1] == p[4]) {
            break;
        }
    }
}


void
ngx_media_label(u_char *dst, const u_char *p, size_t len)
{
    u_char             buf[4];
    uint32_t           ch;
    const u_char      *last;
    ngx_media_text_t   ch_text, text;

    last = p + len;

    ngx_media_text_init(&text, dst, NGX_MEDIA_LABEL - 1);

    while (p < last && *p != '\0') {
        ch = ngx_media_text_utf8(&p, last);

        /* C0, C1 and blanks in front */

        if (ch < 0x20 || (ch >= 0x7f && ch < 0xa0)
            || (ch == ' ' && text.total == 0))
        {
            continue;
        }

        ngx_media_text_init(&ch_text, buf, sizeof(buf));
        ngx_media_text_char(&ch_text, ch);
        ngx_media_text_data(&text, buf, ch_text.total);

        if (text.overflow) {
            break;
        }
    }

    while (text.pos > dst && text.pos[-1] == ' ') {
        text.pos--;
    }

    *text.pos = '\0';
}
