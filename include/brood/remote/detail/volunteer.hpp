// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/internal/worker_protocol.hpp>
#include <brood/remote/detail/connection_watch.hpp>
#include <brood/remote/detail/journey.hpp>
#include <brood/remote/detail/meeting_place.hpp>
#include <brood/remote/detail/token_file.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace brood::detail
{

/// The way of a worker that came by itself to the primary that its environment names. It blocks:
/// nothing else runs yet.
class volunteer : private journey
{
public:
    /// Goes there, and waits until it is let in: a primary that is not there yet, or has no place
    /// now, is asked again every second. Throws why it never will be let in.
    void go()
    {
        auto at = take(join_variable), path = token_path({});
        take(token_variable);
        auto place = read_place(at);
        if (!place)
            throw std::invalid_argument(std::string(join_variable) + " is '" + at +
                                        "', and must be written tcp://host:port");
        if (path.empty())
            throw std::invalid_argument("its primary wants a token: name the file that has it by " +
                                        std::string(token_variable));
        auto token = read_token(path);
        end_when_asked waiting;
        while (!try_to_join(*place, path, token))
            std::this_thread::sleep_for(pause());
    }

private:
    // Nothing has begun: SIGTERM ends it at once, also as the first process of a container, for
    // which the kernel has no default.
    struct end_when_asked
    {
        end_when_asked()
        {
            for (auto number : {SIGTERM, SIGINT})
                std::signal(number, [](int) { ::_exit(0); });
        }

        ~end_when_asked()
        {
            for (auto number : {SIGTERM, SIGINT})
                std::signal(number, SIG_DFL);
        }
    };

    // What this process starts itself must not find it.
    static std::string take(const char* name)
    {
        auto value = std::getenv(name);
        std::string result = value == nullptr ? "" : value;
        ::unsetenv(name);
        return result;
    }

    // Many that were sent away together do not come back together.
    static std::chrono::milliseconds pause()
    {
        static std::mt19937 random{std::random_device()()};
        return std::chrono::milliseconds(500 + random() % 1000);
    }

    bool try_to_join(const meeting_place& place, const std::string& path, const secret& token)
    {
        bootstrap told;
        told.shared = token;
        tls_ = nullptr;
        until_ = clock::now() + std::chrono::seconds(10);
        descriptor socket;
        try
        {
            for (auto& each : addresses_of(place))
                told.endpoints.push_back(to_endpoint(host_of(each.bytes), port_of(each.bytes)));
            socket = connect(told);
        }
        catch (const std::runtime_error& why)
        {
            return later(why.what());
        }
        auto welcome = talk(socket, place, path, token);
        if (welcome.empty())
            return false;
        check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "make a socket that does not block");
        for (std::size_t index = 4; index < welcome.size(); ++index)
            set_variable(welcome[index]);
        watch_connection(socket, std::chrono::milliseconds(std::atoll(welcome[3].c_str())));
        std::fprintf(stderr, "brood: a worker of %s at %s\n", welcome[2].c_str(),
                     to_string(place).c_str());
        came_by_itself = true;
        leave_inheritance(std::move(socket), tls_, welcome[0], welcome[1], welcome[2]);
        return true;
    }

    // Nothing when it is to come again.
    std::vector<std::string> talk(const descriptor& socket, const meeting_place& place,
                                  const std::string& path, const secret& token)
    {
        try
        {
            if (place.encrypted)
                encrypt(socket, tls_identity::from(token)->mark());
            auto welcome = introduce(socket, token);
            if (welcome.size() < 4)
                throw error(errc::malformed, "what its primary says is cut off");
            return welcome;
        }
        catch (const error& why)
        {
            auto hung_up = why.code() == errc::closed;
            if (hung_up && clock::now() >= until_)
                later(to_string(place) + " says nothing");
            else if (hung_up) // as one does that ends, or has an end to see to just now
                later(to_string(place) + " hung up: it has no time, or wants TLS (tls://)");
            else if (why.code() == errc::overflow)
                later(to_string(place) + " has no place now: " + why.text());
            else if (why.code() == errc::malformed)
                throw error(errc::malformed,
                            to_string(place) + ", token of '" + path + "': " + why.text());
            else
                throw;
        }
        return {};
    }

    // Says why once, and not every second.
    bool later(const std::string& why)
    {
        if (why != said_)
            std::fprintf(stderr, "brood: a worker waits: %s\n", why.c_str());
        said_ = why;
        return false;
    }

    std::string said_;
};

} // namespace brood::detail
