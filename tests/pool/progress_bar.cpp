// SPDX-License-Identifier: BSL-1.0
#include <brood/pool/progress_bar.hpp>

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

using namespace brood;
using namespace std::chrono_literals;

namespace
{

using drawing = progress_bar_options::drawing;

/// A terminal of so many columns, and what a person sees on it.
class terminal
{
public:
    explicit terminal(unsigned short columns) : columns_(columns)
    {
        ::setenv("TERM", "xterm", 1);
        main_ = descriptor(check(::posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt"));
        check(::grantpt(main_.get()), "grantpt");
        check(::unlockpt(main_.get()), "unlockpt");
        program_ = descriptor(check(::open(::ptsname(main_.get()), O_RDWR | O_NOCTTY), "open"));
        check(::fcntl(main_.get(), F_SETFL, O_NONBLOCK), "fcntl");
        resize(columns);
    }

    void resize(unsigned short columns)
    {
        columns_ = columns;
        winsize size{24, columns, 0, 0};
        check(::ioctl(program_.get(), TIOCSWINSZ, &size), "ioctl");
    }

    progress_bar_options options() const
    {
        progress_bar_options made;
        made.to = program_.get();
        made.every = 0ms;
        return made;
    }

    const std::vector<std::string>& lines()
    {
        char bytes[4096];
        for (ssize_t count; (count = ::read(main_.get(), bytes, sizeof bytes)) > 0;)
            bytes_.append(bytes, static_cast<std::size_t>(count));
        for (std::size_t place = std::exchange(shown_, bytes_.size()); place < bytes_.size();)
            place += put(place);
        return lines_;
    }

    const std::string& bytes()
    {
        lines();
        return bytes_;
    }

private:
    std::size_t put(std::size_t place)
    {
        auto byte = bytes_[place];
        if (bytes_.compare(place, 3, "\x1b[K") == 0)
        {
            lines_.back().resize(column_);
            return 3;
        }
        if (byte == '\r')
            column_ = 0;
        else if (byte == '\n')
            lines_.emplace_back();
        else
            put_visible(byte);
        return 1;
    }

    void put_visible(char byte)
    {
        if (column_ == columns_)
        {
            lines_.emplace_back();
            column_ = 0;
        }
        auto& line = lines_.back();
        line.resize(std::max(line.size(), column_ + 1), ' ');
        line[column_++] = byte;
    }

    descriptor main_, program_;
    std::size_t columns_;
    std::string bytes_;
    std::size_t shown_ = 0;
    std::size_t column_ = 0;
    std::vector<std::string> lines_{""};
};

progress step(std::uint64_t done, std::uint64_t total = 100)
{
    progress made;
    made.done = done;
    made.total = total;
    made.rate = 10;
    return made;
}

std::string content(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

TEST_CASE("a bar is drawn in place on a terminal", "[progress_bar]")
{
    terminal screen(80);
    {
        progress_bar bar(screen.options());
        bar.show(step(100, 10'000));
        CHECK(screen.lines().back() ==
              "------------------------------    1 %  100/10000, 10/s, 16 min 30 s left");

        bar.show(step(50));
        CHECK(screen.lines() ==
              std::vector<std::string>{
                  "###############---------------   50 %  50/100, 10/s, 5 s left"});
    }
    CHECK(screen.lines().size() == 2);
    CHECK(screen.lines().back().empty());
}

TEST_CASE("a bar keeps to a terminal of any width, and to 80 columns", "[progress_bar]")
{
    const std::vector<unsigned short> widths{1, 2, 10, 20, 40, 79, 80, 81, 200};
    for (auto columns : widths)
    {
        terminal screen(columns);
        progress_bar bar(screen.options());
        for (std::uint64_t done = 1; done < 100; ++done)
            bar.show(step(done * 1000, 100'000));

        CHECK(screen.lines().size() == 1);
        CHECK(screen.lines()[0].size() <= 80);
    }
}

TEST_CASE("a terminal may be resized while a bar is drawn", "[progress_bar]")
{
    terminal screen(80);
    progress_bar bar(screen.options());
    bar.show(step(1));
    screen.lines();

    screen.resize(20);
    bar.show(step(2));

    CHECK(screen.lines().back() == "  2 %  2/100, 10/s");
}

TEST_CASE("a bar is not drawn more often than asked, but its end always", "[progress_bar]")
{
    terminal screen(80);
    auto options = screen.options();
    options.every = 1h;
    progress_bar bar(options);

    bar.show(step(1));
    auto first = screen.bytes();
    bar.show(step(2));
    CHECK(screen.bytes() == first);

    bar.show(step(100));
    CHECK(screen.lines().back().find("100 %  100/100") != std::string::npos);
}

TEST_CASE("a line that is printed stays above the bar", "[progress_bar]")
{
    terminal screen(80);
    progress_bar bar(screen.options());
    bar.print("begin");
    bar.show(step(50));
    bar.print("broken: x.png");

    CHECK(screen.lines() == std::vector<std::string>{
                                "begin", "broken: x.png",
                                "###############---------------   50 %  50/100, 10/s, 5 s left"});
}

TEST_CASE("a file gets plain lines, seldom, and the end", "[progress_bar]")
{
    test::temporary_directory folder;
    auto path = (folder.path() / "log").string();
    descriptor file(check(::open(path.c_str(), O_CREAT | O_WRONLY, 0600), "open"));
    progress_bar_options options;
    options.to = file.get();
    {
        progress_bar bar(options);
        for (std::uint64_t done = 0; done <= 100; ++done)
            bar.show(step(done));
        auto once_more = step(100);
        once_more.rate = 9;
        bar.show(once_more);
        bar.print("and so on");
    }

    CHECK(content(path) == "##############################  100 %  100/100, 10/s\nand so on\n");
}

TEST_CASE("a terminal that can erase nothing gets plain lines", "[progress_bar]")
{
    terminal screen(80);
    ::setenv("TERM", "dumb", 1);
    auto options = screen.options();
    options.every_line = 0ms;
    {
        progress_bar bar(options);
        bar.show(step(1));
        bar.show(step(1));
        bar.show(step(2));
    }
    ::setenv("TERM", "xterm", 1);

    CHECK(screen.bytes().find('\x1b') == std::string::npos);
    CHECK(screen.lines().size() == 3);
}

TEST_CASE("nothing is written when nothing is asked for", "[progress_bar]")
{
    terminal screen(80);
    {
        progress_bar unused(screen.options());
        auto options = screen.options();
        options.draw = drawing::nothing;
        progress_bar quiet(options);
        quiet.show(step(50));
        quiet.show(step(100));
        quiet.print("hidden");
    }
    CHECK(screen.bytes().empty());
}

TEST_CASE("a bar whose reader has gone, or that has no descriptor, is silent", "[progress_bar]")
{
    int ends[2];
    check(::pipe2(ends, O_CLOEXEC), "pipe2");
    descriptor reader(ends[0]), writer(ends[1]);
    reader = {};
    progress_bar_options options;
    options.draw = drawing::in_place;
    options.every = 0ms;
    for (int to : {writer.get(), -1})
    {
        options.to = to;
        progress_bar bar(options);
        bar.show(step(1));
        bar.show(step(100));
    }
    SUCCEED();
}
