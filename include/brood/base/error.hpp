// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace brood
{

/// What the other side of a channel, or the use of it, did wrong. Each value is one remedy.
enum class errc
{
    closed = 1, ///< The other side has gone: what was to be sent cannot arrive any more.
    no_channel, ///< This process was not forked by brood, so it has nobody to talk to.
    malformed,  ///< Bytes that no brood program sends. The channel has ended; so should the peer.
    version_mismatch, ///< The other side speaks another version of the wire: rebuild one of them.
    wrong_type,       ///< The next message has another type than was asked for. It is still there.
    too_large, ///< A message above the limit of the channel: raise the limit, or share memory.
    overflow,  ///< More is waiting than the channel may hold: await drain() between sends.
    descriptors_lost,  ///< Descriptors could not be received: raise the limit of open files.
    wrong_descriptor,  ///< Not the descriptors that were asked for. They have been closed.
    timed_out,         ///< A deadline passed.
    failed,            ///< The handler of a call threw; the text and type came across.
    unhandled,         ///< A call that the other side has no handler for.
    too_many_failures, ///< Workers failed more often than their restart policy allows.
    not_local,         ///< The other side is on another machine, where what was to travel cannot.
};

namespace detail
{

class category final : public std::error_category
{
public:
    const char* name() const noexcept override { return "brood"; }

    std::string message(int value) const override
    {
        switch (static_cast<errc>(value))
        {
        case errc::closed:
            return "channel closed";
        case errc::no_channel:
            return "no channel";
        case errc::malformed:
            return "malformed data";
        case errc::version_mismatch:
            return "another version of the wire";
        case errc::wrong_type:
            return "wrong type of message";
        case errc::too_large:
            return "message too large";
        case errc::overflow:
            return "too much is waiting";
        case errc::descriptors_lost:
            return "descriptors lost";
        case errc::wrong_descriptor:
            return "wrong descriptors";
        case errc::timed_out:
            return "deadline passed";
        case errc::failed:
            return "call failed";
        case errc::unhandled:
            return "no handler for this call";
        case errc::too_many_failures:
            return "too many failures";
        case errc::not_local:
            return "cannot leave this machine";
        }
        return "unknown error " + std::to_string(value);
    }
};

} // namespace detail

/// The category of `errc`, so that its values compare with std::error_code.
inline const std::error_category& error_category() noexcept
{
    static const detail::category category;
    return category;
}

inline std::error_code make_error_code(errc value) noexcept
{
    return {static_cast<int>(value), error_category()};
}

/// What the other side did wrong. `what()` says who, what, and what to do; `code()` is the class of
/// remedy.
///
/// What the operating system refuses is a plain std::system_error; an expected end is an empty
/// optional.
class error : public std::system_error
{
public:
    error(errc value, std::string who_and_what)
        : std::system_error(make_error_code(value), who_and_what), text_(std::move(who_and_what))
    {
    }

    /// Who and what, without the text of the class that what() ends with.
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// Throws what the operating system said, as "step subject: text of the error".
[[noreturn]] inline void throw_system_error(int error_number, std::string_view step,
                                            std::string_view subject = {})
{
    std::string text(step);
    if (!subject.empty())
        text.append(" ").append(subject);
    throw std::system_error(error_number, std::system_category(), text);
}

/// The result of a system call that gives -1 and errno when it fails: throws then, else hands it
/// on.
template <class Result>
Result check(Result result, std::string_view step, std::string_view subject = {})
{
    if (result == (Result)(-1)) // also MAP_FAILED, a pointer
        throw_system_error(errno, step, subject);
    return result;
}

/// Calls until it is not interrupted by a signal: `retry([&] { return ::read(fd, data, size); })`.
template <class Call>
auto retry(Call call)
{
    auto result = call();
    while (result == -1 && errno == EINTR)
        result = call();
    return result;
}

} // namespace brood

template <>
struct std::is_error_code_enum<brood::errc> : std::true_type
{
};
