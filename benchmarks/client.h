/* What the C clients of the measurements share: one epoll loop, light enough to measure a server on the other core.
 *
 * A client includes this file, says in `delivers` which frames it counts, and drives `peers`: WebSockets that
 * `subscribe` opens, and HTTP connections with one request on its way each. Frames are counted as they come and pings
 * are answered. Each client prints lines of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 40, EVENTS = 512, BUFFER = 4096, SAMPLES = 1 << 20, AN_ADDRESS = 10000, STUCK_SECONDS = 60 };

/* token: whose connection this is, or NULL. asked: when the request on its way was sent. left: bytes of a long body to
 * come, none of which are kept. */
typedef struct {
    int fd, length, left;
    double asked;
    const char *token;
    unsigned char buffer[BUFFER + 1];
} Peer;

static Peer *peers;
static int port, poller, sampled, over; /* over: the caller may have stopped the server */
static uint64_t delivered, answers;
static double samples[SAMPLES];

/* Whether a text or binary frame with this payload is one of those that are waited for. */
static int delivers(const unsigned char *payload);

static inline void fail(const char *what) {
    perror(what);
    exit(2);
}

static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static inline void fail_with(const char *answer) {
    fprintf(stderr, "%s\n", answer);
    exit(2);
}

static inline void put(int fd, const void *data, int size) {
    if (write(fd, data, (size_t)size) != size) fail("write");
}

/* --- samples, in microseconds */
static inline void sample(double seconds) {
    if (sampled < SAMPLES) samples[sampled++] = seconds * 1e6;
}

static inline int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static inline double quantile(double share) {
    if (!sampled) return 0;
    qsort(samples, (size_t)sampled, sizeof *samples, by_size);
    return samples[(int)(share * (sampled - 1))];
}

/* --- connections */

/* So many tokens from a file with one a line; the file is expected to have them. */
static inline void read_tokens(const char *path, int first, int count) {
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    for (int i = first; i < first + count; i++) {
        if (getline(&line, &size, file) < 0) fail("too few tokens");
        line[strcspn(line, "\n")] = 0;
        peers[i].token = strdup(line);
    }
    free(line);
    fclose(file);
}

/* Each 10,000 sockets come from an address of their own, so that ports do not run out. */
static inline int dial(int number, int receive_buffer) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct linger reset = {1, 0};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    to.sin_addr.s_addr = htonl(0x7f000001);
    from.sin_addr.s_addr = htonl(0x7f000001u + (unsigned)(number / AN_ADDRESS));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &yes, sizeof yes);
    if (receive_buffer) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (bind(fd, (void *)&from, sizeof from)) fail("bind");
    if (connect(fd, (void *)&to, sizeof to)) fail("connect");
    return fd;
}

static inline void watch(int number) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)number};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, peers[number].fd, &event)) fail("epoll_ctl");
}

/* --- HTTP */

static inline int receive(Peer *peer) {
    ssize_t size = recv(peer->fd, peer->buffer + peer->length, (size_t)(BUFFER - peer->length), MSG_DONTWAIT);
    if (size <= 0) fail("a response did not come");
    return (int)size;
}

/* Reads on; returns the length of the head once it is whole, or 0. */
static inline int read_head(Peer *peer) {
    char *text = (char *)peer->buffer;
    peer->length += receive(peer);
    text[peer->length] = 0;
    char *end = strstr(text, "\r\n\r\n");
    if (!end) return 0;
    if (memcmp(text, "HTTP/1.1 200", 12)) fail_with(text);
    return (int)(end + 4 - text);
}

/* Whether the response is whole; there is never more than one on its way. */
static inline int answered(Peer *peer) {
    if (peer->left) {
        peer->left -= receive(peer);
    } else {
        int head = read_head(peer);
        if (!head) return 0;
        char *length = strcasestr((char *)peer->buffer, "content-length:");
        if (!length) fail_with((char *)peer->buffer);
        peer->left = head + atoi(length + 15) - peer->length;
        peer->length = 0;
    }
    if (peer->left) return 0;
    answers++;
    return 1;
}

/* Whether the first byte of the body is there. The rest of it is not waited for: the next request has a connection of
 * its own. */
static inline int begun(Peer *peer) {
    int head = read_head(peer), number = (int)(peer - peers);
    if (!head || peer->length == head) return 0;
    close(peer->fd);
    peer->length = 0;
    peer->fd = dial(number, 0);
    watch(number);
    answers++;
    return 1;
}

/* Responses per second; each connection asks again as soon as it was answered, which `taken` tells. */
static inline double closed_loop(int count, double seconds, void (*ask)(Peer *), int (*taken)(Peer *)) {
    struct epoll_event events[EVENTS];
    double start = now(), end = start + seconds;
    uint64_t before = answers;
    int open = count;
    for (int i = 0; i < count; i++) ask(&peers[i]);
    while (open) {
        int ready = epoll_wait(poller, events, EVENTS, 1000);
        for (int i = 0; i < ready; i++) {
            Peer *peer = &peers[events[i].data.u32];
            if (!taken(peer)) continue;
            sample(now() - peer->asked);
            if (now() < end) ask(peer);
            else open--;
        }
    }
    return (double)(answers - before) / (now() - start);
}

/* --- WebSockets */
static inline void ask_upgrade(const Peer *peer, const char *target) {
    char text[1024], field[256] = "";
    if (peer->token) snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", peer->token);
    put(peer->fd, text,
        snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                 target, port, field));
}

/* Byte by byte, since frames may follow the head at once. */
static inline void wait_upgrade(int fd) {
    char text[2048] = "";
    int size = 0;
    while (size < 4 || memcmp(text + size - 4, "\r\n\r\n", 4)) {
        if (size == sizeof text - 1 || read(fd, text + size, 1) != 1) fail("handshake");
        size++;
    }
    if (memcmp(text, "HTTP/1.1 101", 12)) fail_with(text);
}

/* Answers a ping with what was in it; the mask is zero. */
static inline void pong(int fd, const unsigned char *payload, int size) {
    unsigned char frame[6 + 125] = {0x8a, (unsigned char)(0x80 | size)};
    if (size > 125) fail("a ping too long");
    memcpy(frame + 6, payload, (size_t)size);
    put(fd, frame, 6 + size);
}

/* Counts the whole frames in what has come; a ping gets its pong, or we count as dead. */
static inline void count_frames(Peer *peer) {
    int at = 0;
    while (peer->length - at >= 2) {
        unsigned char *frame = peer->buffer + at;
        int size = frame[1] & 127, head = 2, code = frame[0] & 15;
        if (size == 126) {
            if (peer->length - at < 4) break;
            size = frame[2] << 8 | frame[3];
            head = 4;
        }
        if (peer->length - at < head + size) break;
        if (code == 9) pong(peer->fd, frame + head, size);
        if ((code == 1 || code == 2) && delivers(frame + head)) delivered++;
        at += head + size;
    }
    memmove(peer->buffer, peer->buffer + at, (size_t)(peer->length - at));
    peer->length -= at;
}

static inline void take_frames(Peer *peer) {
    for (;;) {
        ssize_t room = BUFFER - peer->length;
        ssize_t size = recv(peer->fd, peer->buffer + peer->length, (size_t)room, MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0 && over) exit(0);
        if (size <= 0) fail("a subscriber was dropped");
        peer->length += (int)size;
        count_frames(peer);
        if (size < room) return;
    }
}

static inline void take_ready(int milliseconds) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, milliseconds);
    for (int i = 0; i < ready; i++) take_frames(&peers[events[i].data.u32]);
}

/* Opens a WebSocket for each of these peers; all are watched but the first `deaf`, which never read. Connects per
 * second. */
static inline double subscribe(int first, int count, const char *target, int deaf) {
    double start = now();
    for (int at = first; at < first + count; at += BATCH) {
        int end = at + BATCH < first + count ? at + BATCH : first + count;
        for (int i = at; i < end; i++) {
            peers[i].fd = dial(i, i - first < deaf ? 4096 : 0);
            ask_upgrade(&peers[i], target);
        }
        for (int i = at; i < end; i++) {
            wait_upgrade(peers[i].fd);
            if (i - first >= deaf) watch(i);
        }
        take_ready(0);
    }
    return count / (now() - start);
}
