/* The client of the room measurements.
 *
 *   roomclient post    PORT TOKENS ROOMS CONNECTIONS SECONDS   closed loop of posts, each connection with its own token
 *   roomclient fan     PORT TOKENS ROOM SOCKETS SECONDS WINDOW TARGET SERVER   subscribers, one person who posts
 *   roomclient recover PORT TOKENS TARGET COUNT TIMES          connects with a cursor and reads COUNT frames
 *   roomclient get     PORT TOKENS PATH TIMES                  one request after the other
 *
 * Tokens come from a file, one a line; the first is that of the person who posts in `fan`. Prints one line of JSON.
 * Latency in `fan` is taken with one post on its way, and is that to the last receiver; throughput with WINDOW of them.
 */
#include "../client.h"

enum { CONTENT = 100, MOST_POSTERS = 64 };

static const double WARM_UP_SECONDS = 0.3;
static const char *rooms;
static char big[1 << 22];

static int delivers(const unsigned char *payload) {
    return !memcmp(payload, "{\"type\":\"New", 12);
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

/* Rooms come as one number or as a range, of which each post takes one by chance. */
static void post(Peer *peer) {
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

static void open_posters(int count) {
    for (int i = 0; i < count; i++) {
        peers[i].fd = dial(i, 0);
        watch(i);
    }
}

static void run_post(int count, double seconds) {
    open_posters(count);
    closed_loop(count, WARM_UP_SECONDS, post, answered);
    sampled = 0;
    uint64_t before = answers;
    double rate = closed_loop(count, seconds, post, answered);
    printf("{\"posts_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"served\": %lu}\n", rate, quantile(0.5),
           quantile(0.99), (unsigned long)(answers - before));
}

/* Deliveries per second; each poster has one post on its way, and the next begins when all have heard it. */
static double fan(int posters, int hearing, int window, double seconds) {
    struct epoll_event events[EVENTS];
    double start = now(), end = start + seconds, sent_at = 0;
    uint64_t before = delivered, sent = 0, complete = 0;
    int idle[MOST_POSTERS], idlers = 0;
    for (int i = 0; i < posters; i++) idle[idlers++] = i;
    for (;;) {
        double time = now();
        if (time > end + STUCK_SECONDS) fail("the server has stopped delivering");
        if (time < end) {
            for (; idlers && sent - complete < (uint64_t)window; sent++) {
                sent_at = now();
                post(&peers[idle[--idlers]]);
            }
        } else if (complete == sent && idlers == posters) {
            return (double)(delivered - before) / (time - start);
        }
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            int number = (int)events[i].data.u32;
            if (number >= posters) take_frames(&peers[number]);
            else if (answered(&peers[number])) idle[idlers++] = number;
        }
        uint64_t now_complete = (delivered - before) / (uint64_t)hearing;
        if (window == 1 && now_complete > complete) sample(now() - sent_at);
        complete = now_complete;
    }
}

/* The posters come first, all with the first token; that person's own sockets hear nothing. */
static void run_fan(int sockets, double seconds, int window, const char *target, int server) {
    open_posters(window);
    double connects = subscribe(window, sockets, target, 0);
    usleep(500000); /* resuming sockets join the live stream a moment after their handshake */
    fan(window, sockets, 1, WARM_UP_SECONDS);
    sampled = 0;
    fan(window, sockets, 1, seconds);
    double used = cpu(server);
    uint64_t before = delivered;
    double rate = fan(window, sockets, window, seconds);
    used = (cpu(server) - used) * 1e6 / (double)(delivered - before);
    printf("{\"deliveries_s\": %.0f, \"last_p50_us\": %.0f, \"last_p99_us\": %.0f, \"connects_s\": %.0f, "
           "\"cpu_us\": %.2f}\n",
           rate, quantile(0.5), quantile(0.99), connects, used);
}

static void run_recover(const char *target, uint64_t count, int times) {
    Peer *peer = &peers[0];
    for (int turn = 0; turn < times; turn++) {
        double start = now();
        peer->fd = dial(0, 0);
        peer->length = 0;
        delivered = 0;
        ask_upgrade(peer, target);
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
    int fd = dial(0, 0), body = 0;
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
        if (memcmp(big, "HTTP/1.1 200", 12)) fail_with(big);
        sample(now() - start);
    }
    printf("{\"p50_us\": %.0f, \"p99_us\": %.0f, \"bytes\": %d}\n", quantile(0.5), quantile(0.99), body);
}

/* So many peers, the first `posters` of them with the first token, the others with the next ones. */
static void prepare(const char *tokens, int posters, int others) {
    peers = calloc((size_t)(posters + others), sizeof *peers);
    if (posters) read_tokens(tokens, posters - 1, others + 1);
    else read_tokens(tokens, 0, others);
    for (int i = 0; i + 1 < posters; i++) peers[i].token = peers[posters - 1].token;
}

int main(int count, char **words) {
    if (count < 6) return 1;
    port = atoi(words[2]);
    poller = epoll_create1(0);
    if (!strcmp(words[1], "post") && count == 7) {
        rooms = words[4];
        prepare(words[3], 0, atoi(words[5]));
        run_post(atoi(words[5]), atof(words[6]));
    } else if (!strcmp(words[1], "fan") && count == 10) {
        rooms = words[4];
        prepare(words[3], atoi(words[7]), atoi(words[5]));
        run_fan(atoi(words[5]), atof(words[6]), atoi(words[7]), words[8], atoi(words[9]));
    } else if (!strcmp(words[1], "recover") && count == 7) {
        prepare(words[3], 0, 1);
        run_recover(words[4], strtoull(words[5], NULL, 10), atoi(words[6]));
    } else if (!strcmp(words[1], "get") && count == 6) {
        prepare(words[3], 0, 1);
        run_get(words[4], atoi(words[5]));
    } else {
        return 1;
    }
    return 0;
}
