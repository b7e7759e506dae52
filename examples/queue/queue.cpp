// SPDX-License-Identifier: BSL-1.0
// A pool that is fed from a queue which outlives it, NATS JetStream. A job is acknowledged when its
// result is where it belongs: whoever dies before, it is done again, and nothing is lost.
//
//     nats-server -a 127.0.0.1 -js -sd /tmp/queue
//     ./queue 127.0.0.1:4222 feed 1000000007 12 crash many
//     ./queue 127.0.0.1:4222 work 30     until SIGTERM; 30 s for each job
//
// Prints, in any order:
//   1000000007 has 2 divisors
//   12 has 6 divisors
//   crash is given up: process <n> was ended by SIGABRT
//   many is given up: stoull
#include "nats.hpp"

#include <brood/brood.hpp>
#include <brood/pool.hpp>

#include <asio/this_coro.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// The job; runs in the workers.
std::uint64_t count_divisors(const std::string& job)
{
    if (job == "crash")
        std::abort();
    std::uint64_t number = std::stoull(job), count = 0;
    for (std::uint64_t divisor = 1; divisor * divisor <= number; ++divisor)
        if (number % divisor == 0)
            count += divisor * divisor == number ? 1 : 2;
    return count;
}

using workers = brood::pool<count_divisors>;

/// A job whose worker ended, or that took too long, is done again: so often.
constexpr unsigned most_deliveries = 3;

/// Does one job, and gives what the queue is told of it.
brood::task<std::string> answer(workers& pool, nats_message job, std::chrono::seconds limit)
{
    std::ostringstream why;
    bool again = job.deliveries() < most_deliveries;
    try
    {
        brood::call_options options;
        options.deadline = limit;
        auto count = co_await pool.with(options)(job.data);
        // First the result is where it belongs, then the job is acknowledged.
        std::cout << job.data + " has " + std::to_string(count) + " divisors\n" << std::flush;
        co_return "+ACK";
    }
    catch (const brood::worker_lost& lost)
    {
        why << lost.ended().status;
    }
    catch (const brood::remote_error& thrown) // it would throw the next time, too
    {
        why << thrown.message();
        again = false;
    }
    catch (const brood::error& failed)
    {
        if (failed.code() != brood::errc::timed_out)
            throw;
        why << "it takes too long";
    }
    if (again)
        co_return "-NAK"; // somebody else gets it, at once
    std::cout << job.data + " is given up: " + why.str() + '\n' << std::flush;
    co_return "+TERM"; // nobody gets it again
}

/// Asks for a job, does it and answers, again and again, until this process is asked to end.
brood::task<> take_jobs(brood::process& self, workers& pool, std::string address,
                        std::chrono::seconds limit)
{
    auto executor = co_await asio::this_coro::executor;
    nats queue(executor);
    co_await queue.connect(address);
    while (!self.stopping())
    {
        auto job = co_await queue.request("$JS.API.CONSUMER.MSG.NEXT.jobs.pool",
                                          R"({"batch":1,"expires":500000000})");
        if (job.head.starts_with("NATS/1.0 408"))
            continue; // none has come in half a second
        if (job.head.starts_with("NATS/1.0 4"))
            throw std::runtime_error("no job: " + job.head);
        auto said = co_await answer(pool, job, limit);
        co_await queue.request(job.reply, said);
    }
}

/// Asks the server for something that it can refuse.
brood::task<> ask(nats& queue, std::string subject, std::string data)
{
    auto said = co_await queue.request(subject, data);
    if (said.data.find("\"error\"") != std::string::npos)
        throw std::runtime_error(subject + ": " + said.data);
}

brood::task<> work(brood::process& self, nats& queue, std::string address,
                   std::chrono::seconds limit)
{
    // Whoever has a job and says nothing for so long has it no more: longer than a call may take.
    auto patience = limit + std::chrono::seconds(1);
    std::ostringstream consumer;
    consumer << R"({"stream_name":"jobs","config":{"durable_name":"pool","ack_policy":"explicit",)"
             << R"("ack_wait":)" << std::chrono::nanoseconds(patience).count() << "}}";
    co_await ask(queue, "$JS.API.CONSUMER.DURABLE.CREATE.jobs.pool", consumer.str());
    workers pool;
    brood::task_group hands;
    hands.start(self.shutdown());
    co_await pool.ready();
    for (std::size_t hand = 0; hand < pool.size(); ++hand) // as many jobs as it has room for
        hands.start(take_jobs(self, pool, address, limit));
    co_await hands.join();
    co_await pool.finish();
}

brood::task<> run(brood::process& self)
{
    auto words = self.argv();
    if (words.size() < 4 || (words[2] != "feed" && words[2] != "work"))
        throw std::runtime_error("queue HOST:PORT feed JOB..., or queue HOST:PORT work SECONDS");
    auto executor = co_await asio::this_coro::executor;
    nats queue(executor);
    co_await queue.connect(words[1]);
    co_await ask(queue, "$JS.API.STREAM.CREATE.jobs",
                 R"({"name":"jobs","subjects":["jobs.*"],"retention":"workqueue"})");
    if (words[2] == "work")
        co_await work(self, queue, words[1], std::chrono::seconds(std::stoul(words[3])));
    else
        for (std::size_t job = 3; job < words.size(); ++job)
            co_await ask(queue, "jobs.new", words[job]); // it has been stored when this returns
}

int main()
{
    return brood::run(run);
}
