// SPDX-License-Identifier: BSL-1.0
// Starts the server beside this, visits it, kills the worker that answered, and visits it again.
//
// Prints:
//   http://localhost:<n>/ says: <n> from process <n>
//   worker <n> in slot <n>: process <n> was ended by SIGKILL after <n> ms
//   http://localhost:<n>/ says: <n> from process <n>
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <csignal>
#include <iostream>
#include <string>

brood::task<pid_t> visit(std::string url)
{
    auto answer = co_await brood::http::get(url);
    std::cout << url << " says: " << answer.body;
    auto last_word = answer.body.rfind(' ');
    co_return std::stoi(answer.body.substr(last_word));
}

brood::task<> look_at_server()
{
    brood::spawn_options options;
    options.env = brood::environment().set("PORT", "0"); // one that is free
    options.stdout_ = brood::stdio::pipe();
    auto server = brood::spawn("./http_cluster", {}, options);
    auto url = co_await server.out().read_line();

    auto worker = co_await visit(url.value());
    ::kill(worker, SIGKILL);
    auto ended = co_await server.out().read_line();
    std::cout << ended.value() << '\n';
    co_await visit(url.value());

    co_await server.stop();
}

int main()
{
    return brood::run(look_at_server);
}
