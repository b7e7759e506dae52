// SPDX-License-Identifier: BSL-1.0
#include <brood/os/priority.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <functional>
#include <sstream>

namespace os = brood::os;
using brood::test::read_file;

namespace
{

// A child that waits, and ends with this.
class sleeper
{
public:
    sleeper() : pid_(::fork())
    {
        REQUIRE(pid_ >= 0);
        if (pid_ == 0)
            for (;;)
                ::pause();
    }

    ~sleeper() { end(); }

    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;

    pid_t pid() const { return pid_; }

    void end()
    {
        if (ended_)
            return;
        ::kill(pid_, SIGKILL);
        ended_ = ::waitpid(pid_, nullptr, 0) == pid_;
    }

private:
    pid_t pid_;
    bool ended_ = false;
};

// The 19th word of /proc/<pid>/stat.
int nice_of(pid_t pid)
{
    auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
    std::istringstream words(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int word = 3; word < 19; ++word)
        words >> skipped;
    int value = INT_MIN;
    words >> value;
    return value;
}

std::error_code code_of(const std::function<void()>& call)
{
    try
    {
        call();
    }
    catch (const std::system_error& error)
    {
        return error.code();
    }
    return {};
}

} // namespace

TEST_CASE("the names of priorities have Node's values")
{
    CHECK(os::priority::low == 19);
    CHECK(os::priority::below_normal == 10);
    CHECK(os::priority::normal == 0);
    CHECK(os::priority::above_normal == -7);
    CHECK(os::priority::high == -14);
    CHECK(os::priority::highest == -20);
}

TEST_CASE("get_priority() is that of this process unless another is named")
{
    sleeper child;

    CHECK(os::get_priority() == nice_of(::getpid()));
    CHECK(os::get_priority(0) == nice_of(::getpid()));
    CHECK(os::get_priority(::getpid()) == nice_of(::getpid()));
    CHECK(os::get_priority(child.pid()) == nice_of(child.pid()));
}

TEST_CASE("set_priority() makes a process less urgent, step by step", "[node-251]")
{
    sleeper child;
    for (int value = os::get_priority(child.pid()); value <= os::priority::low; ++value)
    {
        os::set_priority(child.pid(), value);
        CHECK(os::get_priority(child.pid()) == value);
        CHECK(nice_of(child.pid()) == value);
    }
}

TEST_CASE("set_priority() makes a process more urgent, or says that it may not")
{
    sleeper child;
    for (int value = os::priority::low; value >= os::priority::highest; --value)
    {
        auto before = nice_of(child.pid());
        auto code = code_of([&] { os::set_priority(child.pid(), value); });
        if (code)
        {
            INFO("to " << value);
            CHECK(::geteuid() != 0);
            CHECK(code == std::errc::permission_denied);
            CHECK(nice_of(child.pid()) == before);
        }
        else
        {
            errno = ERANGE; // left from something else: -1 is no error all the same
            CHECK(os::get_priority(child.pid()) == value);
            CHECK(nice_of(child.pid()) == value);
        }
    }
}

TEST_CASE("set_priority(value) is for this process")
{
    auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
    {
        os::set_priority(os::priority::low);
        ::_exit(os::get_priority() == os::priority::low && nice_of(::getpid()) == 19 ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);

    CHECK(status == 0);
}

TEST_CASE("set_priority() refuses what is not from -20 to 19, and changes nothing", "[node-251]")
{
    auto before = os::get_priority();
    for (int value : {-21, 20, 100, -100, INT_MAX, INT_MIN})
    {
        CHECK_THROWS_AS(os::set_priority(value), std::invalid_argument);
        CHECK_THROWS_AS(os::set_priority(::getpid(), value), std::invalid_argument);
        CHECK_THROWS_WITH(os::set_priority(value),
                          Catch::Matchers::ContainsSubstring(std::to_string(value)));
    }
    CHECK(os::get_priority() == before);
}

TEST_CASE("the priority of a process that is gone is an error that names it")
{
    sleeper child;
    child.end();

    CHECK(code_of([&] { os::get_priority(child.pid()); }) == std::errc::no_such_process);
    CHECK(code_of([&] { os::set_priority(child.pid(), 5); }) == std::errc::no_such_process);
    CHECK_THROWS_WITH(os::get_priority(child.pid()),
                      Catch::Matchers::ContainsSubstring(std::to_string(child.pid())));
    CHECK(code_of([] { os::get_priority(-1); }) == std::errc::no_such_process);
}
