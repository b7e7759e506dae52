// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/task.hpp>
#include <brood/pool/internal/call_message.hpp>
#include <brood/wire/internal/frame_writer.hpp>
#include <brood/wire/internal/take.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace brood
{

class process;

namespace detail
{

/// A call that a worker was given.
class served_call
{
public:
    using clock = std::chrono::steady_clock;

    served_call() = default;
    served_call(const served_call&) = delete;
    served_call& operator=(const served_call&) = delete;
    virtual ~served_call() = default;

    virtual const call_head& head() const noexcept = 0;

    /// Takes what travelled beside the arguments. Throws when that is not what the function takes.
    virtual void receive(companions&, link&) {}

    /// Whether the primary waits to hear that it has begun.
    virtual bool tells_begin() const noexcept { return false; }

    /// For a plain function: calls it and sends what it gives. False when it is time to drain.
    virtual bool answer(link& to) = 0;

    /// For a coroutine: runs it. answer() then sends what it has given.
    virtual task<> run() = 0;

    /// From this time on it counts.
    void begin(clock::time_point now) noexcept { begun_ = now; }

    /// What is said of its end, which is now.
    call_tail tail()
    {
        ended_ = clock::now();
        auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(ended_ - begun_);
        return {head().place, head().call, static_cast<std::uint64_t>(time.count())};
    }

    /// When that was.
    clock::time_point ended() const noexcept { return ended_; }

protected:
    template <class Reply>
    static bool send(link& to, const Reply& reply, std::vector<descriptor> beside = {})
    {
        frame_writer frame(to, frame_kind::message, label_of<Reply>(), 0, beside.size());
        frame.write(reply);
        return frame.send(std::move(beside));
    }

private:
    clock::time_point begun_;
    clock::time_point ended_;
};

/// How a worker takes the calls of one function.
struct call_service
{
    std::uint64_t request = 0; ///< The fingerprint of its type.
    bool is_coroutine = false;

    /// Decodes such a request. Throws what is wrong with it.
    std::function<std::unique_ptr<served_call>(std::span<const std::byte>)> decode;
};

/// Answers the calls, of any of these kinds, that come over the channel of a worker until that
/// ends, and waits then for those under way.
task<> serve_calls(process& self, std::vector<call_service> services);

} // namespace detail
} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/serve.ipp>
#endif
