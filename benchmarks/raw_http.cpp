// SPDX-License-Identifier: BSL-1.0
// The limit of http: a server of system calls only, which knows no more of HTTP/1.1 than its load
// asks for. `GET /` is answered with a line, `GET /N` with N bytes, and `POST` with the number of
// bytes that came. Several processes share the listener. Prints its port, and ends when its
// standard input does.
//
// usage: raw_http [PORT] [PROCESSES]
#include "measure.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace
{

constexpr std::size_t longest_head = 16'384;

struct connection
{
    int socket;
    std::string unread = {};    // the beginning of a head, or requests behind a long answer
    std::string unsent = {};    // answers
    std::size_t bytes_left = 0; // of the body that follows them
    std::size_t body_size = 0;  // of the request under way
    std::size_t body_left = 0;  // of it
    bool close_asked = false;   // by that request
    bool last_answer_given = false;
    bool waits_for_room = false;
};

/// What matters in the head of a request.
struct request
{
    std::string_view method;
    std::string_view target;
    std::size_t length = 0;
    bool close = false;
};

std::string_view take_line(std::string_view& text)
{
    auto end = text.find("\r\n");
    auto line = text.substr(0, end);
    text.remove_prefix(line.size() + 2);
    return line;
}

/// What stands behind the name in this line, or nothing when that is another one.
std::string_view value_of(std::string_view line, std::string_view name)
{
    if (line.size() <= name.size() || ::strncasecmp(line.data(), name.data(), name.size()) != 0)
        return {};
    auto begin = line.find_first_not_of(' ', name.size());
    return begin == line.npos ? std::string_view() : line.substr(begin);
}

std::size_t to_number(std::string_view digits)
{
    std::size_t result = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), result);
    return result;
}

/// A head with the end of its last line.
request parse(std::string_view head)
{
    request result;
    auto line = take_line(head);
    result.method = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), result.method.size() + 1));
    result.target = line.substr(0, line.find(' '));
    while (!head.empty())
    {
        line = take_line(head);
        if (auto value = value_of(line, "connection:"); !value.empty())
            result.close = ::strncasecmp(value.data(), "close", 5) == 0;
        else if (auto length = value_of(line, "content-length:"); !length.empty())
            result.length = to_number(length);
    }
    return result;
}

/// The line of the date, made once a second.
const char* date_line()
{
    static char line[64];
    static std::time_t of = 0;
    auto now = std::time(nullptr);
    if (now != of)
        std::strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", std::gmtime(&now));
    of = now;
    return line;
}

void begin_answer(connection& to, std::size_t length)
{
    to.unsent += "HTTP/1.1 200 OK\r\n";
    to.unsent += date_line();
    to.unsent += "Content-Length: ";
    to.unsent += std::to_string(length);
    to.unsent += to.close_asked ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
    to.last_answer_given = to.close_asked;
}

void answer(connection& to, std::string_view body)
{
    begin_answer(to, body.size());
    to.unsent += body;
}

void begin(connection& from, const request& asked)
{
    from.close_asked = asked.close;
    from.body_size = from.body_left = asked.length;
    if (asked.method == "POST")
    {
        if (asked.length == 0)
            answer(from, "0");
    }
    else if (asked.length != 0)
        from.last_answer_given = true; // none: this server does not know what to do with the body
    else if (asked.target == "/")
        answer(from, "hello\n");
    else
    {
        from.bytes_left = to_number(asked.target.substr(asked.target.empty() ? 0 : 1));
        begin_answer(from, from.bytes_left);
    }
}

/// Answers all whole requests in there, and says how many bytes those are.
std::size_t take(connection& from, std::string_view bytes)
{
    std::size_t taken = 0;
    while (!from.last_answer_given && from.bytes_left == 0)
    {
        auto rest = bytes.substr(taken);
        if (from.body_left != 0)
        {
            auto part = std::min(from.body_left, rest.size());
            from.body_left -= part;
            taken += part;
            if (from.body_left != 0)
                break;
            answer(from, std::to_string(from.body_size));
            continue;
        }
        auto end = rest.find("\r\n\r\n");
        if (end == rest.npos)
            break;
        taken += end + 4;
        begin(from, parse(rest.substr(0, end + 2)));
    }
    return taken;
}

class server
{
public:
    explicit server(int listener) : listener_(listener)
    {
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN | EPOLLEXCLUSIVE, nullptr);
        // A pipe or a terminal; anything else is refused, and SIGTERM has to end this.
        watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, this);
    }

    void run()
    {
        epoll_event events[64];
        while (!ended_)
        {
            auto count = ::epoll_wait(poll_, events, 64, -1);
            for (int each = 0; each < count; ++each)
            {
                auto what = events[each].data.ptr;
                if (what == nullptr)
                    accept();
                else if (what == this)
                    ended_ = ::read(STDIN_FILENO, buffer_.data(), buffer_.size()) <= 0;
                else
                    serve(static_cast<connection*>(what), events[each].events);
            }
        }
    }

private:
    void watch(int operation, int socket, std::uint32_t events, void* what)
    {
        epoll_event wanted{};
        wanted.events = events;
        wanted.data.ptr = what;
        ::epoll_ctl(poll_, operation, socket, &wanted);
    }

    void accept()
    {
        for (;;)
        {
            int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (socket < 0)
                return;
            watch(EPOLL_CTL_ADD, socket, EPOLLIN, new connection{socket});
        }
    }

    void serve(connection* peer, std::uint32_t events)
    {
        auto open = (events & EPOLLOUT) != 0 || receive(*peer);
        if (open && advance(*peer))
            return;
        ::close(peer->socket);
        delete peer;
    }

    // Each of these says whether the connection stays.

    bool receive(connection& from)
    {
        auto size = ::recv(from.socket, buffer_.data(), buffer_.size(), 0);
        if (size <= 0)
            return size < 0 && errno == EAGAIN;
        std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
        if (from.unread.empty())
            from.unread = bytes.substr(take(from, bytes));
        else
        {
            from.unread += bytes;
            from.unread.erase(0, take(from, from.unread));
        }
        return from.unread.size() < longest_head + buffer_.size();
    }

    /// Sends what there is; after a long answer, answers what was asked behind it.
    bool advance(connection& peer)
    {
        for (;;)
        {
            if (!send(peer))
                return false;
            auto taken = peer.waits_for_room ? 0 : take(peer, peer.unread);
            if (taken == 0)
                return true;
            peer.unread.erase(0, taken);
        }
    }

    bool send(connection& to)
    {
        while (!to.unsent.empty() || to.bytes_left != 0)
        {
            auto head = !to.unsent.empty();
            auto size = head ? to.unsent.size() : std::min(to.bytes_left, block_.size());
            auto from = head ? to.unsent.data() : block_.data();
            auto sent = ::send(to.socket, from, size, MSG_NOSIGNAL);
            if (sent < 0)
                return errno == EAGAIN && wait_for_room(to, true);
            if (head)
                to.unsent.erase(0, static_cast<std::size_t>(sent));
            else
                to.bytes_left -= static_cast<std::size_t>(sent);
        }
        return !to.last_answer_given && wait_for_room(to, false);
    }

    bool wait_for_room(connection& peer, bool wanted)
    {
        if (peer.waits_for_room != wanted)
            watch(EPOLL_CTL_MOD, peer.socket, wanted ? EPOLLOUT : EPOLLIN, &peer);
        peer.waits_for_room = wanted;
        return true;
    }

    int listener_;
    int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    bool ended_ = false;
    std::string buffer_ = std::string(65'536, '\0');
    std::string block_ = std::string(65'536, 'x');
};

int listen_at(long port)
{
    int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // connections inherit it
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener, SOMAXCONN) != 0)
    {
        std::perror("listen");
        std::exit(1);
    }
    return listener;
}

void report_port(int listener)
{
    sockaddr_in at{};
    socklen_t size = sizeof at;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
    bench::report(ntohs(at.sin_port));
}

std::vector<pid_t> children;

void fork_servers(int listener, long count)
{
    for (long each = 0; each < count; ++each)
    {
        auto child = ::fork();
        if (child == 0)
        {
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            server(listener).run();
            std::exit(0);
        }
        children.push_back(child);
    }
    std::signal(SIGTERM,
                [](int)
                {
                    for (auto child : children)
                        ::kill(child, SIGTERM);
                });
}

} // namespace

int main(int argc, char** argv)
{
    auto listener = listen_at(bench::argument(argc, argv, 1, 0));
    auto processes = bench::argument(argc, argv, 2, 1);
    if (processes > 1)
        fork_servers(listener, processes);
    report_port(listener);
    if (processes == 1)
        server(listener).run();
    while (::wait(nullptr) > 0) // until all children have ended
    {
    }
}
