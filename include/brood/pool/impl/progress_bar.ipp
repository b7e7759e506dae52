// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/detail/quiet_write.hpp>
#include <brood/pool/progress_bar.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace brood
{
namespace detail
{

// Writing over needs a terminal that can erase to the end of a line, which "dumb" says it cannot.
inline bool can_draw_in_place(int to)
{
    auto kind = std::getenv("TERM");
    return ::isatty(to) == 1 && kind && std::string_view(kind) != "dumb";
}

} // namespace detail

BROOD_INLINE progress_bar::progress_bar(const progress_bar_options& options) : options_(options)
{
    using drawing = progress_bar_options::drawing;
    if (options_.draw == drawing::automatic)
        options_.draw = detail::can_draw_in_place(options_.to) ? drawing::in_place : drawing::lines;
}

BROOD_INLINE progress_bar::~progress_bar()
{
    if (line_is_open_)
        write("\n");
}

BROOD_INLINE void progress_bar::show(const progress& now)
{
    using drawing = progress_bar_options::drawing;
    if (options_.draw == drawing::nothing)
        return;
    auto in_place = options_.draw == drawing::in_place;
    auto time = std::chrono::steady_clock::now();
    auto is_end = now.total && now.ended() >= *now.total;
    if (std::exchange(end_is_drawn_, is_end) && is_end)
        return;
    if (!is_end && !drawn_ && !in_place)
        drawn_ = time; // a log need not hear that something begins
    if (!is_end && drawn_ && time - *drawn_ < (in_place ? options_.every : options_.every_line))
        return;
    drawn_ = time;
    draw(now);
}

BROOD_INLINE void progress_bar::print(std::string_view line)
{
    using drawing = progress_bar_options::drawing;
    if (options_.draw == drawing::nothing)
        return;
    std::string text(line_is_open_ ? "\r\x1b[K" : "");
    text.append(line).append("\n");
    if (line_is_open_)
        text.append(line_);
    write(text);
}

BROOD_INLINE void progress_bar::draw(const progress& now)
{
    auto line = to_line(now, columns());
    if (line == line_)
        return;
    line_ = std::move(line);
    if (options_.draw == progress_bar_options::drawing::lines)
        return write(line_ + "\n");
    write("\r" + line_ + "\x1b[K");
    line_is_open_ = true;
}

BROOD_INLINE std::size_t progress_bar::columns() const
{
    winsize size{};
    if (::ioctl(options_.to, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return options_.columns;
    // A terminal that is written full to its last column may begin the next line.
    return std::min<std::size_t>(options_.columns, size.ws_col - 1);
}

BROOD_INLINE void progress_bar::write(const std::string& text)
{
    std::string_view left = text;
    while (!left.empty())
    {
        auto count = detail::quiet_write(options_.to, left);
        if (count <= 0)
            return;
        left.remove_prefix(static_cast<std::size_t>(count));
    }
}

} // namespace brood
