
/*
 * Copyright (C) ngx_stream_vod_module authors
 */

/* link: access/ngx_media_access.c ngx_stub.c */


/* the list of checks: who is asked, when, and who is told */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "access/ngx_media_access.h"
#include "ngx_stub.h"
#include "tap.h"


extern ngx_module_t  ngx_media_access_module;

/* what a check does as it is asked, and what was done with it */

typedef struct {
    ngx_int_t                  rc;
    const char                *reason;
    int                        at_once;       /* answers before it returns */
    ngx_int_t                  answer;
    uint64_t                   id;            /* what it says of its yes */
    time_t                     expires;       /* what it says of its yes */
    int                        admits;
    int                        asked;
    int                        cancelled;
    ngx_media_access_t        *access;
} script_t;


static ngx_int_t check0(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static ngx_int_t check1(ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason);
static void cancel(void *ctx);
static ngx_uint_t hides(const ngx_media_app_t *app);
static ngx_uint_t asks(const ngx_media_app_t *app);
static void here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data);
static void ended(const ngx_media_app_t *app, uint64_t id,
    const char *reason);


static ngx_uint_t  hidden;
static ngx_uint_t  asking;
static uint64_t    over;
static int         gone;

static const ngx_media_access_check_t  checks[2] = {
    { check0, cancel, hides, NULL, NULL, NULL },
    { check1, cancel, NULL, asks, here, ended }
};

static ngx_rbtree_node_t  sentinel;
static ngx_cycle_t        cycles[2];
static void              *confs[2][1];
static void             **conf_ctx[2] = { (void **) confs[0],
                                          (void **) confs[1] };
static ngx_media_app_t    app;
static script_t           script[2];

/* what the one who asked was told */
static ngx_media_access_verdict_t
                          verdict;
static int                told;
static ngx_int_t          told_rc;
static const char        *told_reason;

static ngx_media_access_verdict_t  *judged = &verdict;
static uint64_t           known;             /* its id, when it is asked */


static ngx_int_t
check(script_t *s, ngx_media_access_t *access,
    const ngx_media_access_conf_t *conf, void **ctx, const char **reason)
{
    if (conf->name.len != 4 || *ctx != NULL) {
        abort();
    }

    s->asked++;
    s->access = access;

    *reason = s->reason;
    *ctx = s;

    if (s->id) {
        conf->verdict->id = s->id;
    }

    if (s->expires) {
        ngx_media_access_expires(conf, s->expires);
    }

    if (s->admits) {
        ngx_media_access_admit(conf);
    }

    if (s->at_once) {
        ngx_media_access_answer(access, s->answer, s->reason);
    }

    return s->rc;
}


static ngx_int_t
check0(ngx_media_access_t *access, const ngx_media_access_conf_t *conf,
    void **ctx, const char **reason)
{
    return check(&script[0], access, conf, ctx, reason);
}


static ngx_int_t
check1(ngx_media_access_t *access, const ngx_media_access_conf_t *conf,
    void **ctx, const char **reason)
{
    return check(&script[1], access, conf, ctx, reason);
}


static void
cancel(void *ctx)
{
    script_t *s = ctx;

    s->cancelled++;
}


static void
ready(void *data, ngx_int_t rc, const char *reason)
{
    if (data != &told) {
        abort();
    }

    told++;
    told_rc = rc;
    told_reason = reason;
}


/* the configuration of a cycle, with n checks */

static void
configure(ngx_uint_t i, ngx_uint_t n)
{
    ngx_uint_t          k;
    ngx_conf_t          cf;
    ngx_core_module_t  *ctx;

    if (cycles[i].pool) {
        ngx_destroy_pool(cycles[i].pool);
    }

    ctx = ngx_media_access_module.ctx;

    cycles[i].pool = ngx_create_pool(1024, &ngx_stub_log);
    cycles[i].conf_ctx = (void ****) conf_ctx[i];
    confs[i][0] = ctx->create_conf(&cycles[i]);

    memset(&cf, 0, sizeof(cf));
    cf.cycle = &cycles[i];

    for (k = 0; k < n; k++) {
        is(ngx_media_access_add(&cf, &checks[k]), NGX_OK, "added");
        is(ngx_media_access_add(&cf, &checks[k]), NGX_OK, "and again");
    }
}


static ngx_int_t
ask(ngx_media_access_t **access, const char **reason)
{
    ngx_media_access_conf_t  conf;

    memset(&conf, 0, sizeof(conf));

    conf.action = NGX_MEDIA_ACCESS_PUBLISH;
    conf.app = &app;
    ngx_str_set(&conf.name, "name");
    ngx_str_set(&conf.protocol, "test");
    conf.log = &ngx_stub_log;
    conf.verdict = judged;
    conf.ready = ready;
    conf.data = &told;

    if (judged) {
        memset(judged, 0, sizeof(verdict));
        judged->id = known;
    }

    *access = NULL;
    *reason = NULL;

    return ngx_media_access_ask(&conf, access, reason);
}


static void
start(ngx_uint_t n)
{
    memset(script, 0, sizeof(script));
    told = 0;
    told_rc = 1;
    told_reason = NULL;

    configure(0, n);
    app.cycle = &cycles[0];
}


/* posted events, as often as there are any */

static void
run(void)
{
    ngx_event_t  *ev;

    while (!ngx_queue_empty(&ngx_posted_events)) {
        ev = ngx_queue_data(ngx_queue_head(&ngx_posted_events), ngx_event_t,
                            queue);
        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


/* the timer of the one that there is */

static void
expire(void)
{
    ngx_event_t        *ev;
    ngx_rbtree_node_t  *node;

    node = ngx_event_timer_rbtree.root;
    ev = ngx_rbtree_data(node, ngx_event_t, timer);

    is(node->key - ngx_current_msec, NGX_MEDIA_ACCESS_TIMEOUT,
       "the deadline is for all");

    ngx_rbtree_delete(&ngx_event_timer_rbtree, node);
    ev->timer_set = 0;
    ev->timedout = 1;
    ev->handler(ev);
}


static void
quiet(const char *what)
{
    ok(ngx_event_timer_rbtree.root == &sentinel, "%s: no timer", what);
    ok(ngx_queue_empty(&ngx_posted_events), "%s: no event", what);
}


static void
test_none(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(0);

    ngx_stub_fail = 1;

    is(ask(&access, &reason), NGX_OK, "no checks: all is allowed");

    ngx_stub_fail = 0;

    quiet("no checks");

    start(1);

    ngx_stub_fail = 1;

    is(ask(&access, &reason), NGX_ERROR, "no memory");
    is(script[0].asked, 0, "no memory: nobody was asked");

    ngx_stub_fail = 0;
}


static ngx_uint_t
hides(const ngx_media_app_t *app)
{
    return hidden;
}


/* names that may be secrets are not shown */

static void
test_shown(void)
{
    static ngx_str_t  name = ngx_string("a");

    start(1);
    ok(ngx_media_access_shown(&app, &name) == &name, "a name is shown");

    hidden = 1;
    is_str(ngx_media_access_shown(&app, &name), "***", "a secret is not");
    hidden = 0;
}


static ngx_uint_t
asks(const ngx_media_app_t *app)
{
    return asking;
}


static void
here(const ngx_media_app_t *app, uint64_t id,
    void (*close)(void *data, const char *reason), void *data)
{
    over += id;

    close(data, "go");
}


static void
closed(void *data, const char *reason)
{
    ok(data == &over && strcmp(reason, "go") == 0, "who is here is closed");
}


static void
ended(const ngx_media_app_t *app, uint64_t id, const char *reason)
{
    over += id;

    is(strcmp(reason, gone ? "the client has left" : "why"), 0,
       "and is told why");
}


/* who wants to hear of viewers by HTTP, and of ends */

static void
test_others(void)
{
    start(2);
    ok(!ngx_media_access_asks(&app), "viewers by HTTP: nobody");

    asking = 1;
    ok(ngx_media_access_asks(&app), "viewers by HTTP: one");

    start(1);
    ok(!ngx_media_access_asks(&app), "not of this configuration");
    asking = 0;

    start(2);
    ngx_media_access_ended(&app, 0, "why");
    is(over, 0, "an end that nobody wants to know of");

    ngx_media_access_ended(&app, 7, "why");
    is(over, 7, "one that somebody does");

    ngx_media_access_here(&app, 0, closed, &over);
    ngx_media_access_here(&app, 7, closed, &over);
    is(over, 14, "who is here");
}


/* one says yes and wants to know of the end, which comes at once */

static void
test_revoked(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(2);
    script[0].id = 5;
    over = 0;

    is(ask(&access, &reason), NGX_OK, "two say yes");
    is(verdict.id, 5, "the end is asked for");
    is(over, 0, "and has not come");

    script[1].rc = NGX_DECLINED;
    script[1].reason = "why";

    is(ask(&access, &reason), NGX_DECLINED, "then one says no");
    is(over, 5, "the other is told");
    is(verdict.id, 0, "nobody tells it again");

    script[1].rc = NGX_AGAIN;

    is(ask(&access, &reason), NGX_AGAIN, "one waits");
    ngx_media_access_answer(access, NGX_DECLINED, "why");
    run();
    is(over, 10, "no, later");

    is(ask(&access, &reason), NGX_AGAIN, "one waits");
    gone = 1;
    ngx_media_access_cancel(access);
    gone = 0;
    is(over, 15, "the client leaves");
    is(verdict.id, 0, "nobody tells it again");

    /* who is asked about once more is told of by who asks */

    known = 5;
    script[1].rc = NGX_DECLINED;
    is(ask(&access, &reason), NGX_DECLINED, "once more: no");
    is(over, 15, "nobody is told");
    is(verdict.id, 5, "the id is as it was");
    known = 0;
}


static void
test_at_once(void)
{
    const char          *reason;
    ngx_uint_t           logged;
    ngx_media_access_t  *access;

    start(2);

    is(ask(&access, &reason), NGX_OK, "two that say yes");
    is(script[0].asked + script[1].asked, 2, "both were asked");

    script[0].rc = NGX_DECLINED;
    script[0].reason = "no";

    is(ask(&access, &reason), NGX_DECLINED, "one that says no");
    is(strcmp(reason, "no"), 0, "and why");
    is(script[1].asked, 1, "the second is not asked then");

    script[0].reason = NULL;

    is(ask(&access, &reason), NGX_DECLINED, "one that does not say why");
    ok(reason && strlen(reason), "is given words");

    script[0].rc = NGX_ERROR;
    logged = ngx_stub_logged[NGX_LOG_ERR];

    is(ask(&access, &reason), NGX_DECLINED, "one that fails");
    is(strcmp(reason, "the access check failed"), 0, "refuses");
    is(verdict.status, 503, "as nobody has said so");
    is(ngx_stub_logged[NGX_LOG_ERR] - logged, 1, "and the log has it");

    script[0].rc = NGX_AGAIN;
    script[0].at_once = 1;
    script[0].answer = NGX_OK;

    is(ask(&access, &reason), NGX_OK, "an answer before it returns");

    script[0].answer = NGX_DECLINED;
    script[0].reason = "never";

    is(ask(&access, &reason), NGX_DECLINED, "a refusal before it returns");
    is(strcmp(reason, "never"), 0, "and why");

    is(told, 0, "at once: nobody was called back");
    is(script[0].cancelled + script[1].cancelled, 0, "at once: no cancel");
    quiet("at once");
}


/* what comes with a yes: the earliest end, whoever says it */

static void
test_verdict(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(2);

    is(ask(&access, &reason), NGX_OK, "verdict: yes");
    is(verdict.expires, 0, "verdict: for ever");
    is(verdict.admitted, 0, "verdict: and nothing else is known");
    is(verdict.status, 0, "verdict: nor is there a no");

    script[0].expires = 2000;
    script[1].expires = 1000;
    script[1].admits = 1;

    is(ask(&access, &reason), NGX_OK, "verdict: yes, until");
    is(verdict.expires, 1000, "verdict: the earliest");
    is(verdict.admitted, 1, "verdict: one that knows him is enough");

    script[1].expires = 3000;

    is(ask(&access, &reason), NGX_OK, "verdict: in the other order");
    is(verdict.expires, 2000, "verdict: the earliest again");

    judged = NULL;
    is(ask(&access, &reason), NGX_OK, "verdict: who does not want to know");
    judged = &verdict;
}


static void
test_later(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(2);

    script[0].rc = NGX_AGAIN;

    is(ask(&access, &reason), NGX_AGAIN, "later");
    ok(access == script[0].access, "the check knows what it answers");
    is(script[1].asked, 0, "later: the second waits");

    ngx_media_access_answer(access, NGX_OK, NULL);
    is(told + script[1].asked, 0, "later: not inside the answer");

    run();
    is(told, 1, "later: told once");
    is(told_rc, NGX_OK, "later: yes");
    is(script[1].asked, 1, "later: the second was asked");
    quiet("later");

    /* both wait, the second says no */

    script[1].rc = NGX_AGAIN;

    is(ask(&access, &reason), NGX_AGAIN, "both later");

    ngx_media_access_answer(access, NGX_OK, NULL);
    run();
    is(told, 1, "both later: not yet");

    ngx_media_access_answer(access, NGX_DECLINED, "no");
    run();
    is(told, 2, "both later: told");
    is(told_rc, NGX_DECLINED, "both later: no");
    is(strcmp(told_reason, "no"), 0, "both later: why");
    quiet("both later");

    /* the second answers while it is asked, inside of an event */

    script[1].at_once = 1;
    script[1].answer = NGX_DECLINED;
    script[1].reason = "at once";

    is(ask(&access, &reason), NGX_AGAIN, "later and at once");

    ngx_media_access_answer(access, NGX_OK, NULL);
    run();
    is(told, 3, "later and at once: told");
    is(strcmp(told_reason, "at once"), 0, "later and at once: no");
    quiet("later and at once");

    /* one that fails later */

    is(ask(&access, &reason), NGX_AGAIN, "fails later");

    ngx_media_access_answer(access, NGX_ERROR, NULL);
    run();
    is(told, 4, "fails later: told");
    is(told_rc, NGX_DECLINED, "fails later: no");

    is(script[0].cancelled + script[1].cancelled, 0, "later: no cancel");
    quiet("fails later");
}


static void
test_cancel(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(2);

    script[0].rc = NGX_AGAIN;

    is(ask(&access, &reason), NGX_AGAIN, "cancel");

    ngx_media_access_cancel(access);
    is(script[0].cancelled, 1, "cancel: the check hears of it");
    quiet("cancel");

    is(ask(&access, &reason), NGX_AGAIN, "cancel after the answer");

    ngx_media_access_answer(access, NGX_OK, NULL);
    ngx_media_access_cancel(access);
    run();

    is(script[0].cancelled, 1, "cancel after the answer: it is done with");
    is(script[1].asked, 0, "cancel after the answer: no second");
    is(told, 0, "cancel: nobody is told");
    quiet("cancel after the answer");
}


static void
test_deadline(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(2);

    script[0].rc = NGX_AGAIN;
    script[1].rc = NGX_AGAIN;

    is(ask(&access, &reason), NGX_AGAIN, "deadline");

    expire();
    is(told, 1, "deadline: told");
    is(told_rc, NGX_DECLINED, "deadline: no");
    is(strcmp(told_reason, "the access check did not answer in time"), 0,
       "deadline: why");
    is(verdict.status, 503, "and nobody has said no");
    is(script[0].cancelled, 1, "deadline: the check hears of it");
    quiet("deadline");

    /* the answer and the deadline in one round of events */

    is(ask(&access, &reason), NGX_AGAIN, "deadline and answer");

    script[1].rc = NGX_OK;
    ngx_media_access_answer(access, NGX_OK, NULL);
    expire();
    run();
    is(told, 2, "deadline and answer: told once");
    is(told_rc, NGX_OK, "deadline and answer: the answer came");
    quiet("deadline and answer");

    /* the same, and the second would wait */

    is(ask(&access, &reason), NGX_AGAIN, "deadline and another");

    script[1].rc = NGX_AGAIN;
    ngx_media_access_answer(access, NGX_OK, NULL);
    expire();
    run();
    is(told, 3, "deadline and another: told");
    is(told_rc, NGX_DECLINED, "deadline and another: no");
    is(script[1].cancelled, 1, "deadline and another: it hears of it");
    quiet("deadline and another");
}


/* a reload: who is asked by the old configuration asks the old list */

static void
test_reload(void)
{
    const char          *reason;
    ngx_media_access_t  *access;

    start(1);
    configure(1, 0);

    script[0].rc = NGX_DECLINED;

    is(ask(&access, &reason), NGX_DECLINED, "reload: the old one refuses");

    app.cycle = &cycles[1];

    is(ask(&access, &reason), NGX_OK, "reload: the new one has no check");

    ngx_destroy_pool(cycles[0].pool);
    ngx_destroy_pool(cycles[1].pool);

    is(ngx_stub_pools, 0, "reload: nothing is left");
}


int
main(void)
{
    ngx_rbtree_init(&ngx_event_timer_rbtree, &sentinel,
                    ngx_rbtree_insert_value);

    ngx_media_access_module.index = 0;

    test_none();
    test_shown();
    test_others();
    test_revoked();
    test_at_once();
    test_verdict();
    test_later();
    test_cancel();
    test_deadline();
    test_reload();

    return done();
}
