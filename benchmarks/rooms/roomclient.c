/* The client of the room measurements: one epoll loop, light enough to measure a server on the other core.
 *
 *   roomclient post    PORT ROOMS CONNECTIONS SECONDS     closed loop of posts, each connection with a token of its own
 *   roomclient fan     PORT ROOM SOCKETS SECONDS WINDOW QUERY SERVER   subscribers, one poster; QUERY: appended to theirs
 *   roomclient recover PORT SINCE COUNT TIMES             connects with the cursor and reads COUNT frames
 *   roomclient get     PORT PATH TIMES                    one request after the other
 *
 * Tokens come on the standard input, one a line; the first is the poster's. Prints one line of JSON. Latency in `fan`
 * is taken with one post on its way, and is that to the last receiver; throughput with WINDOW of them.
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

enum { CONTENT = 100, BATCH = 40, EVENTS = 512, BUFFER = 4096, ROUNDS = 1 << 20, TOKEN = 64 };

typedef struct {
    int fd, length, is_poster;
    double asked;
    char token[TOKEN];
    unsigned char buffer[BUFFER + 1];
} Peer;

static Peer *peers;
static int port, poller, sampled;
static uint64_t delivered, answers;
static double samples[ROUNDS];
static char big[1 << 22];

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

/* Processor time a process has used: steadier than a clock on a shared machine. */
static double cpu(int process) {
    char path[64], line[1024], *at;
    unsigned long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file) || !(at = strrchr(line, ')'))) fail("stat");
    fclose(file);
    if (sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) fail("stat");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static int dial(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct linger reset = {1, 0};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    to.sin_addr.s_addr = htonl(0x7f000001);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (connect(fd, (void *)&to, sizeof to)) fail("connect");
    return fd;
}

static void put(int fd, const char *text, int size) {
    if (write(fd, text, (size_t)size) != size) fail("write");
}

static void ask_upgrade(int fd, const char *token, const char *query) {
    char text[1024];
    put(fd, text,
        snprintf(text, sizeof text,
                 "GET /room/websocket?token=%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Version: 13\r\n\r\n",
                 token, query, port));
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

/* Rooms come as one number or as a range, of which each post takes one by chance. */
static void post(Peer *peer, const char *rooms) {
    char text[1024], body[CONTENT + 32], room[32];
    int first, last;
    if (sscanf(rooms, "%d-%d", &first, &last) != 2) first = last = atoi(rooms);
    snprintf(room, sizeof room, "%d", first + rand() % (last - first + 1));
    int size = snprintf(body, sizeof body, "{\"content\":\"%0*d\"}", CONTENT, 7);
    peer->asked = now();
    put(peer->fd, text,
        snprintf(text, sizeof text,
                 "POST /room/post/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                 "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 room, peer->token, size, body));
}

/* Whether a response is whole; there is never more than one on its way. */
static int answered(Peer *peer) {
    ssize_t size = recv(peer->fd, peer->buffer + peer->length, (size_t)(BUFFER - peer->length), MSG_DONTWAIT);
    if (size <= 0) fail("a response did not come");
    peer->length += (int)size;
    peer->buffer[peer->length] = 0;
    char *text = (char *)peer->buffer, *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
    if (!end || !length || peer->length < end + 4 - text + atoi(length + 15)) return 0;
    if (memcmp(text, "HTTP/1.1 200", 12)) {
        fprintf(stderr, "%s\n", text);
        exit(2);
    }
    peer->length = 0;
    answers++;
    return 1;
}

static double post_all(int count, const char *room, double seconds) {
    struct epoll_event events[EVENTS];
    double start = now(), end = start + seconds;
    uint64_t before = answers;
    int open = count;
    for (int i = 0; i < count; i++) post(&peers[i], room);
    while (open) {
        int ready = epoll_wait(poller, events, EVENTS, 1000);
        for (int i = 0; i < ready; i++) {
            Peer *peer = &peers[events[i].data.u32];
            if (!answered(peer)) continue;
            sample(now() - peer->asked);
            if (now() < end) post(peer, room);
            else open--;
        }
    }
    return (double)(answers - before) / (now() - start);
}

static void run_post(const char *room, int count, double seconds) {
    for (int i = 0; i < count; i++) {
        peers[i].fd = dial();
        watch(i);
    }
    post_all(count, room, 0.3); /* warm-up */
    sampled = 0;
    uint64_t before = answers;
    double rate = post_all(count, room, seconds);
    printf("{\"posts_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"served\": %lu}\n", rate, quantile(0.5),
           quantile(0.99), (unsigned long)(answers - before));
}

/* Counts the whole text frames in what has come. */
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
        if ((frame[0] & 15) == 9) put(peer->fd, "\x8a\x80\0\0\0\0", 6); /* a pong, or we count as dead */
        if ((frame[0] & 15) == 1 && !strncmp((char *)frame + head, "{\"type\":\"New", 12)) delivered++;
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
        if (size <= 0) fail("a subscriber was dropped");
        peer->length += (int)size;
        count_frames(peer);
        if (size < room) return;
    }
}

/* Deliveries per second; each poster has one post on its way, and the next begins when all have heard it. */
static double fan(int posters, int hearing, const char *room, int window, double seconds) {
    struct epoll_event events[EVENTS];
    double start = now(), end = start + seconds, sent_at = 0;
    uint64_t before = delivered, sent = 0, complete = 0;
    int idle[64], idlers = 0;
    for (int i = 0; i < posters; i++) idle[idlers++] = i;
    for (;;) {
        double time = now();
        if (time > end + 60) fail("the server has stopped delivering");
        if (time < end) {
            while (idlers && sent - complete < (uint64_t)window) {
                sent_at = now();
                post(&peers[idle[--idlers]], room);
                sent++;
            }
        } else if (complete == sent && idlers == posters) {
            return (double)(delivered - before) / (time - start);
        }
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            Peer *peer = &peers[events[i].data.u32];
            if (!peer->is_poster) take_frames(peer);
            else if (answered(peer)) idle[idlers++] = (int)(peer - peers);
        }
        uint64_t now_complete = (delivered - before) / (uint64_t)hearing;
        if (window == 1 && now_complete > complete) sample(now() - sent_at);
        complete = now_complete;
    }
}

static void run_fan(const char *room, int sockets, double seconds, int window, const char *query, int server) {
    /* The posters come first, all with the first token; that person's own sockets hear nothing. */
    Peer *all = peers;
    Peer *posters = calloc((size_t)(sockets + window), sizeof *posters);
    for (int i = 0; i < window; i++) {
        memcpy(posters[i].token, all[0].token, TOKEN);
        posters[i].is_poster = 1;
    }
    for (int i = 0; i < sockets; i++) memcpy(posters[window + i].token, all[1 + i].token, TOKEN);
    peers = posters;
    for (int i = 0; i < window; i++) {
        peers[i].fd = dial();
        watch(i);
    }
    double start = now();
    for (int first = 0; first < sockets; first += BATCH) {
        int end = first + BATCH < sockets ? first + BATCH : sockets;
        for (int i = window + first; i < window + end; i++) {
            peers[i].fd = dial();
            ask_upgrade(peers[i].fd, peers[i].token, query);
        }
        for (int i = window + first; i < window + end; i++) {
            wait_upgrade(peers[i].fd);
            watch(i);
        }
    }
    double took = now() - start;
    usleep(500000); /* resuming sockets join the live stream a moment after their handshake */
    fan(window, sockets, room, 1, 0.3);
    sampled = 0;
    fan(window, sockets, room, 1, seconds);
    double p50 = quantile(0.5), p99 = quantile(0.99);
    double used = cpu(server);
    uint64_t before = delivered;
    double rate = fan(window, sockets, room, window, seconds);
    used = (cpu(server) - used) * 1e6 / (double)(delivered - before);
    printf("{\"deliveries_s\": %.0f, \"last_p50_us\": %.0f, \"last_p99_us\": %.0f, \"connects_s\": %.0f, "
           "\"cpu_us\": %.2f}\n", rate,
           p50, p99, sockets / took, used);
}

static void run_recover(const char *since, uint64_t count, int times) {
    char query[128];
    snprintf(query, sizeof query, "&since=%s", since);
    for (int turn = 0; turn < times; turn++) {
        double start = now();
        Peer *peer = &peers[0];
        peer->fd = dial();
        peer->length = 0;
        delivered = 0;
        ask_upgrade(peer->fd, peer->token, query);
        wait_upgrade(peer->fd);
        while (delivered < count) {
            ssize_t size = recv(peer->fd, peer->buffer + peer->length, (size_t)(BUFFER - peer->length), 0);
            if (size <= 0) fail("the socket was closed");
            peer->length += (int)size;
            count_frames(peer);
        }
        sample(now() - start);
        close(peer->fd);
    }
    printf("{\"events_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n", (double)count / (quantile(0.5) / 1e6),
           quantile(0.5), quantile(0.99));
}

static void run_get(const char *path, int times) {
    char text[1024];
    int fd = dial(), body = 0;
    for (int turn = 0; turn < times; turn++) {
        double start = now();
        put(fd, text,
            snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n\r\n", path,
                     peers[0].token));
        ssize_t length = 0;
        for (;;) {
            ssize_t size = recv(fd, big + length, sizeof big - 1 - (size_t)length, 0);
            if (size <= 0) fail("a response did not come");
            length += size;
            big[length] = 0;
            char *end = strstr(big, "\r\n\r\n"), *field = strcasestr(big, "content-length:");
            if (end && field && length >= end + 4 - big + (body = atoi(field + 15))) break;
        }
        if (memcmp(big, "HTTP/1.1 200", 12)) fail("not 200");
        sample(now() - start);
    }
    printf("{\"p50_us\": %.0f, \"p99_us\": %.0f, \"bytes\": %d}\n", quantile(0.5), quantile(0.99), body);
}

static void read_tokens(void) {
    char line[256];
    int count = 0, size = 1024;
    peers = calloc((size_t)size, sizeof *peers);
    while (fgets(line, sizeof line, stdin)) {
        if (count + 128 > size) {
            peers = realloc(peers, (size_t)(2 * size) * sizeof *peers);
            memset(peers + size, 0, (size_t)size * sizeof *peers);
            size *= 2;
        }
        line[strcspn(line, "\n")] = 0;
        snprintf(peers[count++].token, TOKEN, "%.60s", line);
    }
}

int main(int count, char **words) {
    if (count < 5) return 1;
    port = atoi(words[2]);
    poller = epoll_create1(0);
    read_tokens();
    if (!strcmp(words[1], "post") && count == 6) run_post(words[3], atoi(words[4]), atof(words[5]));
    else if (!strcmp(words[1], "fan") && count == 9)
        run_fan(words[3], atoi(words[4]), atof(words[5]), atoi(words[6]), words[7], atoi(words[8]));
    else if (!strcmp(words[1], "recover") && count == 6)
        run_recover(words[3], strtoull(words[4], NULL, 10), atoi(words[5]));
    else if (!strcmp(words[1], "get") && count == 5) run_get(words[3], atoi(words[4]));
    else return 1;
    return 0;
}
