/* The client of the measurements of nodes. PORTS: of the nodes, with commas; posts go to the first one.
 *
 *   nodeclient hear  PORTS TOKENS ROOM POSTS PAUSE   a socket at each node; one post after the other, with pauses
 *   nodeclient fan   PORTS TOKENS ROOM SOCKETS SECONDS WINDOW   sockets dealt out to the nodes, WINDOW posts on their way
 *   nodeclient post  PORTS TOKENS ROOMS CONNECTIONS SECONDS     closed loop of posts, connections dealt out to the nodes
 *   nodeclient catch PORTS TOKENS COUNT   a socket at the first node; a line when it listens, one after COUNT frames
 *
 * Tokens come from a file, one a line; the first is that of the person who posts in `hear` and `fan`. Prints lines of JSON.
 */
#include "../client.h"

enum { CONTENT = 100, MOST_NODES = 8 };

static const double WARM_UP_SECONDS = 0.3;
static const char *rooms;
static int ports[MOST_NODES], nodes;

static int delivers(const unsigned char *payload) {
    return !memcmp(payload, "{\"type\":\"New", 12);
}

static void read_ports(char *text) {
    for (char *word = strtok(text, ","); word && nodes < MOST_NODES; word = strtok(NULL, ",")) {
        ports[nodes++] = atoi(word);
    }
    if (!nodes) fail_with("no port");
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

static void prepare(const char *tokens, int posters, int others) {
    peers = calloc((size_t)(posters + others), sizeof *peers);
    if (posters) read_tokens(tokens, posters - 1, others + 1);
    else read_tokens(tokens, 0, others);
    for (int i = 0; i + 1 < posters; i++) peers[i].token = peers[posters - 1].token;
}

static void open_peer(int number, int at) {
    port = ports[at];
    peers[number].fd = dial(number, 0);
    watch(number);
}

static void open_socket(int number, int at) {
    port = ports[at];
    subscribe(number, 1, "/room/websocket", 0);
}

/* --- hear: how long a post takes to each node's socket */
static double heard[MOST_NODES][100000];

static void hear_one(double *when) {
    struct epoll_event events[EVENTS];
    int missing = nodes + 1; /* the sockets, and the answer */
    for (int i = 0; i < nodes; i++) when[i] = 0;
    double asked = now();
    post(&peers[0]);
    while (missing) {
        int ready = epoll_wait(poller, events, EVENTS, 5000);
        if (!ready) fail_with("a post did not come");
        for (int i = 0; i < ready; i++) {
            int number = (int)events[i].data.u32;
            if (!number) {
                missing -= answered(&peers[0]);
                continue;
            }
            uint64_t before = delivered;
            take_frames(&peers[number]);
            if (delivered > before && !when[number - 1]) {
                when[number - 1] = now() - asked;
                missing--;
            }
        }
    }
}

static void run_hear(int posts, double pause) {
    double when[MOST_NODES];
    open_peer(0, 0);
    for (int i = 0; i < nodes; i++) open_socket(1 + i, i);
    usleep(500000);
    for (int i = -20; i < posts; i++) {
        hear_one(when);
        for (int at = 0; i >= 0 && at < nodes; at++) heard[at][i] = when[at];
        usleep((useconds_t)(pause * 1e6));
    }
    printf("{");
    for (int at = 0; at < nodes; at++) {
        sampled = 0;
        for (int i = 0; i < posts; i++) sample(heard[at][i]);
        printf("%s\"p50_%d_us\": %.0f, \"p99_%d_us\": %.0f", at ? ", " : "", at, quantile(0.5), at, quantile(0.99));
    }
    printf("}\n");
}

/* --- post and fan */
static void run_post(int count, double seconds) {
    for (int i = 0; i < count; i++) open_peer(i, i % nodes);
    closed_loop(count, WARM_UP_SECONDS, post, answered);
    sampled = 0;
    double rate = closed_loop(count, seconds, post, answered);
    printf("{\"posts_s\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f}\n", rate, quantile(0.5), quantile(0.99));
}

static double fan(int posters, int hearing, double seconds) {
    struct epoll_event events[EVENTS];
    double start = now(), end = start + seconds;
    uint64_t before = delivered, sent = 0, complete = 0;
    int idle[64], idlers = 0;
    for (int i = 0; i < posters; i++) idle[idlers++] = i;
    for (;;) {
        double time = now();
        if (time > end + STUCK_SECONDS) fail_with("the servers have stopped delivering");
        if (time < end) {
            for (; idlers && sent - complete < (uint64_t)posters; sent++) post(&peers[idle[--idlers]]);
        } else if (complete == sent && idlers == posters) {
            return (double)(delivered - before) / (time - start);
        }
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            int number = (int)events[i].data.u32;
            if (number >= posters) take_frames(&peers[number]);
            else if (answered(&peers[number])) idle[idlers++] = number;
        }
        complete = (delivered - before) / (uint64_t)hearing;
    }
}

static void run_fan(int sockets, double seconds, int window) {
    for (int at = 0, first = 0; at < nodes; at++) {
        int end = sockets * (at + 1) / nodes;
        port = ports[at];
        subscribe(window + first, end - first, "/room/websocket", 0);
        first = end;
    }
    for (int i = 0; i < window; i++) open_peer(i, i % nodes);
    usleep(500000);
    fan(window, sockets, WARM_UP_SECONDS);
    printf("{\"deliveries_s\": %.0f}\n", fan(window, sockets, seconds));
}

static void run_catch(uint64_t count) {
    open_socket(0, 0);
    usleep(500000);
    printf("{\"listens\": 1}\n");
    fflush(stdout);
    while (delivered < count) take_ready(1000);
    printf("{\"at\": %.6f}\n", now());
}

int main(int count, char **words) {
    if (count < 5) return 1;
    poller = epoll_create1(0);
    read_ports(words[2]);
    rooms = words[4];
    if (!strcmp(words[1], "hear") && count == 7) {
        prepare(words[3], 1, nodes);
        run_hear(atoi(words[5]), atof(words[6]));
    } else if (!strcmp(words[1], "fan") && count == 8) {
        prepare(words[3], atoi(words[7]), atoi(words[5]));
        run_fan(atoi(words[5]), atof(words[6]), atoi(words[7]));
    } else if (!strcmp(words[1], "post") && count == 7) {
        prepare(words[3], 0, atoi(words[5]));
        run_post(atoi(words[5]), atof(words[6]));
    } else if (!strcmp(words[1], "catch") && count == 5) {
        prepare(words[3], 0, 1);
        run_catch(strtoull(words[4], NULL, 10));
    } else {
        return 1;
    }
    return 0;
}
