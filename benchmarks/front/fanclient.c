/* The client of all front door measurements.
 *
 *   fanclient fan  PORT SOCKETS SECONDS WINDOW DEAF COUNT   subscribers on /sub, one publisher on /pub
 *   fanclient idle PORT SOCKETS TARGET [TOKENS]             subscribers that wait, each with a token from a file
 *   fanclient http PORT CONNECTIONS SECONDS REQUEST         a request in a closed loop, keep-alive
 *   fanclient first PORT CONNECTIONS SECONDS REQUEST        the same, up to the first byte of a body without end
 *
 * After connecting it prints a line of JSON and waits for a line on its standard input, so that the caller can look at
 * the server meanwhile. Then it measures for a short while and prints another line, and so on until its input ends. A
 * published message is 200 bytes. Latency is that to the last receiver, of COUNT messages, each sent when the one
 * before has reached everybody; all are printed, for the caller to pool. Throughput is taken over SECONDS, with WINDOW
 * messages on their way. The first DEAF subscribers never read and are not waited for.
 */
#include "../client.h"

#include <poll.h>

enum { PAYLOAD = 200 };

static const double WARM_UP_SECONDS = 0.1;

static const char *request; /* as it goes over the wire */

static int delivers(const unsigned char *payload) {
    (void)payload;
    return 1;
}

/* The mask is zero, so the payload is as it reads. */
static void publish(int fd) {
    unsigned char frame[8 + PAYLOAD] = {0x82, 0x80 | 126, PAYLOAD >> 8, PAYLOAD & 255};
    memset(frame + 8, 'x', PAYLOAD);
    put(fd, frame, sizeof frame);
}

/* Samples so many messages, one on its way at a time, each up to its last receiver. */
static void time_messages(int publisher, int hearing, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t whole = delivered + (uint64_t)hearing;
        double sent_at = now();
        publish(publisher);
        while (delivered < whole) {
            take_ready(100);
            if (now() > sent_at + STUCK_SECONDS) fail("the server has stopped delivering");
        }
        sample(now() - sent_at);
    }
}

/* Deliveries per second with so many messages on their way. */
static double throughput(int publisher, int hearing, int window, double seconds) {
    double start = now(), end = start + seconds;
    uint64_t before = delivered, sent = 0, complete = 0;
    for (;;) {
        double time = now();
        if (time > end + STUCK_SECONDS) fail("the server has stopped delivering");
        if (time < end) {
            for (; sent - complete < (uint64_t)window; sent++) publish(publisher);
        } else if (complete == sent) {
            return (double)(delivered - before) / (time - start);
        }
        take_ready(100);
        complete = (delivered - before) / (uint64_t)hearing;
    }
}

/* Until the caller says so; what comes meanwhile is taken. */
static void wait_line(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char line[16];
    fflush(stdout);
    over = 1;
    while (!poll(&input, 1, 50)) take_ready(0);
    if (read(0, line, sizeof line) <= 0) exit(0);
    over = 0;
}

static void print_samples(const char *name) {
    printf("\"%s\": [", name);
    for (int i = 0; i < sampled; i++) printf("%s%.0f", i ? ", " : "", samples[i]);
    printf("]");
}

static void run_fan(int count, double seconds, int window, int deaf, int messages) {
    int publisher = peers[count].fd = dial(0, 0), hearing = count - deaf;
    ask_upgrade(&peers[count], "/pub");
    wait_upgrade(publisher);
    watch(count);
    printf("{\"connects_s\": %.0f}\n", subscribe(0, count, "/sub", deaf));
    for (;;) {
        wait_line();
        uint64_t before = delivered;
        throughput(publisher, hearing, 1, WARM_UP_SECONDS);
        sampled = 0;
        time_messages(publisher, hearing, messages);
        double rate = throughput(publisher, hearing, window, seconds);
        printf("{\"deliveries_s\": %.0f, \"served\": %lu, ", rate, (unsigned long)(delivered - before));
        print_samples("last_us");
        printf("}\n");
    }
}

static void run_idle(int count, const char *target) {
    printf("{\"connects_s\": %.0f}\n", subscribe(0, count, target, 0));
    wait_line();
}

static void ask(Peer *peer) {
    peer->asked = now();
    put(peer->fd, request, (int)strlen(request));
}

static void run_http(int count, double seconds, int (*taken)(Peer *)) {
    for (int i = 0; i < count; i++) {
        peers[i].fd = dial(i, 0);
        watch(i);
    }
    printf("{}\n");
    for (;;) {
        wait_line();
        uint64_t before = answers;
        closed_loop(count, WARM_UP_SECONDS, ask, taken);
        sampled = 0;
        double rate = closed_loop(count, seconds, ask, taken);
        printf("{\"requests_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"served\": %lu}\n", rate, quantile(0.5),
               quantile(0.99), (unsigned long)(answers - before));
    }
}

int main(int count, char **words) {
    if (count < 5) return 1;
    int sockets = atoi(words[3]);
    port = atoi(words[2]);
    peers = calloc((size_t)sockets + 1, sizeof *peers);
    poller = epoll_create1(0);
    request = words[5];
    if (!strcmp(words[1], "idle") && count == 6) read_tokens(words[5], 0, sockets);
    if (!strcmp(words[1], "fan") && count == 8)
        run_fan(sockets, atof(words[4]), atoi(words[5]), atoi(words[6]), atoi(words[7]));
    else if (!strcmp(words[1], "idle")) run_idle(sockets, words[4]);
    else if (!strcmp(words[1], "http") && count == 6) run_http(sockets, atof(words[4]), answered);
    else if (!strcmp(words[1], "first") && count == 6) run_http(sockets, atof(words[4]), begun);
    else return 1;
    return 0;
}
