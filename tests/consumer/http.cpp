// SPDX-License-Identifier: BSL-1.0
// Somebody else's client, which asks where nobody listens; then it prints the version.
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <iostream>
#include <system_error>

brood::task<> ask()
{
    brood::http::client client;
    try
    {
        auto answer = co_await client.get("http://127.0.0.1:1/");
        std::cout << "somebody answers: " << answer.status << '\n';
    }
    catch (const std::system_error&)
    {
        auto version = brood::current_version;
        std::cout << version.major << '.' << version.minor << '.' << version.patch << '\n';
    }
}

int main()
{
    return brood::run(ask);
}
