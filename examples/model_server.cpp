// SPDX-License-Identifier: BSL-1.0
// HTTP in front of a pool with state: each worker loads the model once and answers many questions;
// the server goes on reading requests meanwhile.
//
// Prints:
//   "it was good and fun": 200 happy
//   "bad bad good": 200 sad
//   "": 422 std::invalid_argument: there is no word in it
#include <brood/brood.hpp>
#include <brood/http.hpp>
#include <brood/pool.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/this_coro.hpp>

#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace http = brood::http;

class model // one in each worker
{
public:
    explicit model(std::string weights)
    {
        std::istringstream text(weights);
        for (std::string word; text >> word;)
            text >> weights_[word];
    }

    std::string predict(std::string question)
    {
        std::istringstream text(question);
        int words = 0, sum = 0;
        for (std::string word; text >> word; ++words)
            sum += weights_[word];
        if (words == 0)
            throw std::invalid_argument("there is no word in it");
        return sum < 0 ? "sad" : "happy";
    }

private:
    std::map<std::string, int> weights_;
};

using model_pool = brood::pool<&model::predict>;

brood::task<> answer(model_pool& pool, http::request& request, http::response& response)
{
    auto question = co_await request.body();
    std::string text;
    try
    {
        text = co_await pool(question);
    }
    catch (const brood::remote_error& failed)
    {
        response.status(422);
        text = failed.type() + ": " + failed.message();
    }
    co_await response.end(text);
}

brood::task<> talk(brood::process& self)
{
    model_pool pool(brood::pool_settings(), "good 1 fun 2 bad -2");
    auto listener = co_await self.listen(0);
    auto url = "http://localhost:" + std::to_string(listener.local_endpoint().port()) + "/";
    http::server server([&pool](http::request& request, http::response& response)
                        { return answer(pool, request, response); });
    auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, server.serve(listener), asio::detached);

    http::client client;
    for (std::string question : {"it was good and fun", "bad bad good", ""})
    {
        http::client_request request("POST", url, question);
        auto reply = co_await client.fetch(request);
        std::cout << '"' << question << "\": " << reply.status << ' ' << reply.body << '\n';
    }
}

int main()
{
    return brood::run(talk);
}
