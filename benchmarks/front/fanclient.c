/* The client of all front door measurements: one epoll loop, light enough to measure a server on the other core.
 *
 *   fanclient fan  PORT SOCKETS SECONDS WINDOW DEAF   subscribers on /sub, one publisher on /pub
 *   fanclient idle PORT SOCKETS                       subscribers that wait
 *   fanclient http PORT CONNECTIONS SECONDS           POST /rpc in a closed loop, keep-alive
 *
 * After connecting it prints a line of JSON and waits for a line on its standard input, so that the caller can look at
 * the server meanwhile. Then it measures, and prints another line. A published message is 200 bytes and begins with
 * its time. Pings are answered. Latency is taken with one message on its way at a time, and is that to the last receiver; throughput with
 * WINDOW of them. The first DEAF subscribers never read and are not waited for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD = 200, BATCH = 40, EVENTS = 512, BUFFER = 4096, ROUNDS = 1 << 20 };

typedef struct {
    int fd, length;
    uint64_t asked;
    unsigned char buffer[BUFFER];
} Peer;

static Peer *peers;
static int port, poller;
static uint64_t delivered, answers;
static double samples[ROUNDS];
static int sampled, measured;

static void fail(const char *what) {
    perror(what);
    exit(2);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void sample(double seconds) {
    if (sampled < ROUNDS) samples[sampled++] = seconds * 1e6;
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(double share) {
    if (!sampled) return 0;
    qsort(samples, (size_t)sampled, sizeof *samples, by_size);
    return samples[(int)(share * (sampled - 1))];
}

/* Each 10,000 sockets come from an address of their own, so that ports do not run out. */
static int dial(int number, int receive_buffer) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct linger reset = {1, 0};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    to.sin_addr.s_addr = htonl(0x7f000001);
    from.sin_addr.s_addr = htonl(0x7f000001u + (unsigned)(number / 10000));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &yes, sizeof yes);
    if (receive_buffer) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (bind(fd, (void *)&from, sizeof from)) fail("bind");
    if (connect(fd, (void *)&to, sizeof to)) fail("connect");
    return fd;
}

static void ask_upgrade(int fd, const char *path) {
    char text[512];
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        path, port);
    if (write(fd, text, (size_t)size) != size) fail("write");
}

/* Byte by byte, since frames may follow the head at once. */
static void wait_upgrade(int fd) {
    char text[2048];
    int size = 0;
    while (size < 4 || memcmp(text + size - 4, "\r\n\r\n", 4)) {
        if (size == sizeof text || read(fd, text + size, 1) != 1) fail("handshake");
        size++;
    }
    if (memcmp(text, "HTTP/1.1 101", 12)) fail("not upgraded");
}

static void watch(int number) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)number};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, peers[number].fd, &event)) fail("epoll_ctl");
}

static void publish(int fd) {
    unsigned char frame[8 + PAYLOAD] = {0x82, 0x80 | 126, PAYLOAD >> 8, PAYLOAD & 255};
    double time = now();
    memset(frame + 8, 'x', PAYLOAD);
    memcpy(frame + 8, &time, sizeof time);
    if (write(fd, frame, sizeof frame) != sizeof frame) fail("publish");
}

static void pong(int fd) {
    static const unsigned char frame[6] = {0x8a, 0x80};
    if (write(fd, frame, sizeof frame) != sizeof frame) fail("pong");
}

/* Counts the whole binary and text frames in what has come. */
static void count_frames(Peer *peer) {
    int at = 0;
    while (peer->length - at >= 2) {
        unsigned char *frame = peer->buffer + at;
        int size = frame[1] & 127, head = 2;
        if (size == 126) {
            if (peer->length - at < 4) break;
            size = frame[2] << 8 | frame[3];
            head = 4;
        }
        if (peer->length - at < head + size) break;
        if ((frame[0] & 15) == 1 || (frame[0] & 15) == 2) delivered++;
        if ((frame[0] & 15) == 9) pong(peer->fd);
        at += head + size;
    }
    memmove(peer->buffer, peer->buffer + at, (size_t)(peer->length - at));
    peer->length -= at;
}

static void take_frames(Peer *peer) {
    for (;;) {
        ssize_t room = BUFFER - peer->length;
        ssize_t size = recv(peer->fd, peer->buffer + peer->length, (size_t)room, MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0 && measured) exit(0); /* the caller has stopped the server */
        if (size <= 0) fail("a subscriber was dropped");
        peer->length += (int)size;
        count_frames(peer);
        if (size < room) return;
    }
}

static void take_ready(int milliseconds) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, milliseconds);
    for (int i = 0; i < ready; i++) take_frames(&peers[events[i].data.u32]);
}

/* Subscribes all; afterwards every socket is watched but those that shall not read. */
static double subscribe(int count, int deaf) {
    double start = now();
    for (int first = 0; first < count; first += BATCH) {
        int end = first + BATCH < count ? first + BATCH : count;
        for (int i = first; i < end; i++) {
            peers[i].fd = dial(i, i < deaf ? 4096 : 0);
            ask_upgrade(peers[i].fd, "/sub");
        }
        for (int i = first; i < end; i++) {
            wait_upgrade(peers[i].fd);
            if (i >= deaf) watch(i);
        }
        take_ready(0);
    }
    return now() - start;
}

/* Deliveries per second over so many seconds; the time of each whole round is sampled when the window is 1. */
static double fan(int publisher, int hearing, int window, double seconds) {
    double start = now(), end = start + seconds, sent_at = 0;
    uint64_t before = delivered, sent = 0, complete = 0;
    for (;;) {
        double time = now();
        if (time > end + 60) fail("the server has stopped delivering");
        if (time < end) {
            while (sent - complete < (uint64_t)window) {
                sent_at = now();
                publish(publisher);
                sent++;
            }
        } else if (complete == sent) {
            return (double)(delivered - before) / (time - start);
        }
        take_ready(100);
        uint64_t now_complete = (delivered - before) / (uint64_t)hearing;
        if (window == 1 && now_complete > complete) sample(now() - sent_at);
        complete = now_complete;
    }
}

/* Until the caller says so; what comes meanwhile is taken. */
static void wait_line(int subscribed) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char line[16];
    while (!poll(&input, 1, 50))
        if (subscribed) take_ready(0);
    if (read(0, line, sizeof line) <= 0) exit(0);
}

static void run_fan(int count, double seconds, int window, int deaf) {
    int publisher = peers[count].fd = dial(0, 0);
    ask_upgrade(publisher, "/pub");
    wait_upgrade(publisher);
    watch(count);
    double took = subscribe(count, deaf);
    printf("{\"connects_s\": %.0f}\n", count / took);
    fflush(stdout);
    wait_line(1);
    fan(publisher, count - deaf, 1, 0.3); /* warm-up */
    sampled = 0;
    fan(publisher, count - deaf, 1, seconds);
    double p50 = quantile(0.5), p99 = quantile(0.99);
    double rate = fan(publisher, count - deaf, window, seconds);
    printf("{\"deliveries_s\": %.0f, \"last_p50_us\": %.0f, \"last_p99_us\": %.0f, \"served\": %lu}\n", rate, p50, p99,
           (unsigned long)delivered);
    fflush(stdout);
    measured = 1;
    wait_line(1);
}

static void run_idle(int count) {
    double took = subscribe(count, 0);
    printf("{\"connects_s\": %.0f}\n", count / took);
    fflush(stdout);
    wait_line(1);
}

static const char rpc[] =
    "POST /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 49\r\n\r\n"
    "{\"jsonrpc\":\"2.0\",\"method\":\"bench.nothing\",\"id\":7}";

static void ask_rpc(Peer *peer) {
    peer->asked = 1;
    memcpy(peer->buffer + BUFFER - 8, &(double){now()}, 8);
    if (write(peer->fd, rpc, sizeof rpc - 1) != (ssize_t)sizeof rpc - 1) fail("write");
}

/* Whether the response is whole; there is never more than one. */
static int answered(Peer *peer) {
    ssize_t size = recv(peer->fd, peer->buffer + peer->length, (size_t)(BUFFER - 8 - peer->length), MSG_DONTWAIT);
    if (size <= 0) fail("a response did not come");
    peer->length += (int)size;
    peer->buffer[peer->length] = 0;
    char *text = (char *)peer->buffer, *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
    if (!end || !length || peer->length < end + 4 - text + atoi(length + 15)) return 0;
    if (memcmp(text, "HTTP/1.1 200", 12)) fail("not 200");
    peer->length = 0;
    return 1;
}

static double ask_all(int count, double seconds) {
    struct epoll_event events[EVENTS];
    double start = now(), end = start + seconds;
    uint64_t before = answers;
    int open = count;
    for (int i = 0; i < count; i++) ask_rpc(&peers[i]);
    while (open) {
        int ready = epoll_wait(poller, events, EVENTS, 1000);
        for (int i = 0; i < ready; i++) {
            Peer *peer = &peers[events[i].data.u32];
            double asked;
            if (!answered(peer)) continue;
            memcpy(&asked, peer->buffer + BUFFER - 8, 8);
            sample(now() - asked);
            answers++;
            if (now() < end) ask_rpc(peer);
            else open--;
        }
    }
    return (double)(answers - before) / (now() - start);
}

static void run_http(int count, double seconds) {
    for (int i = 0; i < count; i++) {
        peers[i].fd = dial(i, 0);
        watch(i);
    }
    printf("{}\n");
    fflush(stdout);
    wait_line(0);
    ask_all(count, 0.3); /* warm-up */
    sampled = 0;
    double rate = ask_all(count, seconds);
    printf("{\"requests_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"served\": %lu}\n", rate, quantile(0.5),
           quantile(0.99), (unsigned long)answers);
    fflush(stdout);
    wait_line(0);
}

int main(int count, char **words) {
    if (count < 4) return 1;
    int sockets = atoi(words[3]);
    port = atoi(words[2]);
    peers = calloc((size_t)sockets + 1, sizeof *peers);
    poller = epoll_create1(0);
    if (!strcmp(words[1], "fan") && count == 7) run_fan(sockets, atof(words[4]), atoi(words[5]), atoi(words[6]));
    else if (!strcmp(words[1], "idle")) run_idle(sockets);
    else if (!strcmp(words[1], "http") && count == 5) run_http(sockets, atof(words[4]));
    else return 1;
    return 0;
}
