// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>
#include <brood/pool/progress.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace brood
{

/// Where and how a progress_bar draws.
struct progress_bar_options
{
    /// What is written.
    enum class drawing
    {
        automatic, ///< In place on a terminal, lines elsewhere.
        in_place,  ///< One line that is written over and over, whatever it is written to.
        lines,     ///< A line from time to time, for logs.
        nothing,   ///< For programs that were asked to be quiet.
    };

    drawing draw = drawing::automatic;

    /// Where to: standard error, so that standard output holds results alone. Not owned.
    int to = 2;

    /// How often at most the line of a terminal is written anew.
    std::chrono::steady_clock::duration every = std::chrono::milliseconds(100);

    /// How often at most a line of a log is written.
    std::chrono::steady_clock::duration every_line = std::chrono::seconds(10);

    /// At most so many columns, and on a terminal no more than it has.
    std::size_t columns = 80;
};

/// Draws progress on a terminal, in place; as plain lines when standard error is none.
///
///     brood::progress_bar bar;
///     while (auto one = co_await results.next())
///         bar.show(results.progress());
///
/// Draws nothing unless it is told to show something. What cannot be written is left out: a bar
/// throws nothing and ends no program. It writes at once and blocks as long as its terminal does.
class progress_bar
{
public:
    explicit progress_bar(const progress_bar_options& options = {});
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;

    /// Ends the line in place, so that what is written next begins on its own.
    ~progress_bar();

    /// Draws this, unless it is too soon after the time before; the end of all items always, and
    /// once. Cheap enough to be called for each item.
    void show(const progress& now);

    /// Writes a line, which stays: above the bar on a terminal. A line break is added.
    void print(std::string_view line);

private:
    void draw(const progress& now);
    void write(const std::string& text);
    std::size_t columns() const;

    progress_bar_options options_;
    std::optional<std::chrono::steady_clock::time_point> drawn_;
    std::string line_;          // that was drawn last
    bool line_is_open_ = false; // whether the cursor stands behind it
    bool end_is_drawn_ = false;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/pool/impl/progress_bar.ipp>
#endif
