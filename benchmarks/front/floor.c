/* The floor of fan-out: accepts, upgrades without looking, and for each message on /pub calls send once per subscriber.
 *
 *   floor PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SOCKETS = 65536, EVENTS = 512 };

static int subscribers[MAX_SOCKETS], count, poller, publisher = -1;

static const char accepted[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void drop(int fd) {
    for (int i = 0; i < count; i++)
        if (subscribers[i] == fd) subscribers[i] = subscribers[--count];
    close(fd);
}

/* The client's masks are zero and its messages 200 bytes, so payload and frame lengths are known. */
static void fan_out(unsigned char *data, ssize_t size) {
    for (ssize_t at = 0; at + 208 <= size; at += 208) {
        unsigned char frame[204] = {0x82, 126, 0, 200};
        memcpy(frame + 4, data + at + 8, 200);
        for (int i = 0; i < count; i++)
            if (send(subscribers[i], frame, sizeof frame, MSG_DONTWAIT) < 0) continue;
    }
}

static void serve(int fd) {
    unsigned char data[65536];
    ssize_t size = read(fd, data, sizeof data - 1);
    if (size <= 0) {
        drop(fd);
    } else if (fd == publisher) {
        fan_out(data, size);
    } else if (!memcmp(data, "GET /", 5)) {
        if (!memcmp(data, "GET /pub", 8)) publisher = fd;
        else subscribers[count++] = fd;
        if (write(fd, accepted, sizeof accepted - 1) < 0) drop(fd);
    }
}

int main(int words, char **arguments) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[words - 1]))};
    struct epoll_event events[EVENTS];
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(0x7f000001);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) return 1;
    poller = epoll_create1(0);
    watch(listener);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) watch(accept(listener, 0, 0));
            else serve(events[i].data.fd);
        }
    }
}
