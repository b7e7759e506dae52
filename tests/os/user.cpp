// SPDX-License-Identifier: BSL-1.0
#include <brood/os/user.hpp>

#include <brood/os/detail/find_user.hpp>

#include "os/shell.hpp"
#include "support/catch.hpp"

#include <cstdlib>
#include <optional>
#include <pwd.h>
#include <sstream>

namespace os = brood::os;
using brood::test::output_of;

namespace
{

// A variable of the environment, put back when this goes.
class variable
{
public:
    explicit variable(const char* name) : name_(name)
    {
        if (auto* value = std::getenv(name))
            before_ = value;
    }

    ~variable() { before_ ? set(before_->c_str()) : unset(); }

    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;

    void set(const char* value) const { ::setenv(name_, value, 1); }

    void unset() const { ::unsetenv(name_); }

private:
    const char* name_;
    std::optional<std::string> before_;
};

uid_t nobody_has_this_id()
{
    uid_t uid = 54'321;
    while (::getpwuid(uid) != nullptr)
        ++uid;
    return uid;
}

} // namespace

TEST_CASE("user_info() is the entry of this user in the database")
{
    std::istringstream entry(output_of("getent passwd $(id -u)"));
    std::string name, password, uid, gid, comment, home, shell;
    for (auto* each : {&name, &password, &uid, &gid, &comment, &home, &shell})
        std::getline(entry, *each, ':');

    auto user = os::user_info();

    CHECK(user.username == name);
    CHECK(std::to_string(user.uid) == uid);
    CHECK(std::to_string(user.gid) == gid);
    CHECK(user.homedir == home);
    CHECK(user.shell == shell);
}

TEST_CASE("user_info(uid) is the entry of any user")
{
    CHECK(os::user_info(0).username == "root");
    CHECK(os::user_info(::geteuid()).username == os::user_info().username);
}

TEST_CASE("user_info() is that of the effective user")
{
    auto before = ::geteuid();
    auto other = os::user_info(static_cast<uid_t>(std::stoul(output_of("id -u nobody"))));
    if (before != 0)
    {
        WARN("only root can act as somebody else: not tried");
        return;
    }

    REQUIRE(::seteuid(other.uid) == 0);
    auto user = os::user_info();
    REQUIRE(::seteuid(before) == 0);

    CHECK(user.uid == other.uid);
    CHECK(user.username == other.username);
}

TEST_CASE("user_info() finds entries that need more memory than it begins with")
{
    auto expected = os::user_info();
    auto user = os::detail::find_user(expected.uid, 1);

    CHECK(user.username == expected.username);
    CHECK(user.homedir == expected.homedir);
    CHECK(user.shell == expected.shell);
}

TEST_CASE("user_info() of an id without an entry says so, and which id")
{
    auto uid = nobody_has_this_id();
    std::string text;
    std::error_code code;
    try
    {
        os::user_info(uid);
    }
    catch (const std::system_error& error)
    {
        text = error.what();
        code = error.code();
    }

    CHECK(code == std::errc::no_such_file_or_directory);
    CHECK_THAT(text, Catch::Matchers::ContainsSubstring("user " + std::to_string(uid)));
    CHECK_THAT(text, Catch::Matchers::ContainsSubstring("has no such entry"));
}

TEST_CASE("homedir() is $HOME, else what the database says")
{
    variable home("HOME");

    home.set("/some/where");
    CHECK(os::homedir() == "/some/where");
    home.set("");
    CHECK(os::homedir() == os::user_info().homedir);
    home.unset();
    CHECK(os::homedir() == os::user_info().homedir);
}

TEST_CASE("tmpdir() asks TMPDIR, TMP and TEMP in this order, and skips empty ones", "[node-250]")
{
    variable tmpdir("TMPDIR"), tmp("TMP"), temp("TEMP");

    tmpdir.set("/tmpdir");
    tmp.set("/my/tmp");
    temp.set("/temp");
    CHECK(os::tmpdir() == "/tmpdir");
    tmpdir.set("");
    CHECK(os::tmpdir() == "/my/tmp");
    tmp.unset();
    CHECK(os::tmpdir() == "/temp");
    temp.set("");
    CHECK(os::tmpdir() == "/tmp");
    temp.unset();
    tmpdir.unset();
    CHECK(os::tmpdir() == "/tmp");
}

TEST_CASE("tmpdir() has no slash at its end, unless it is the root", "[node-250]")
{
    variable tmpdir("TMPDIR");

    tmpdir.set("/tmpdir/");
    CHECK(os::tmpdir() == "/tmpdir");
    tmpdir.set("/tmpdir\\");
    CHECK(os::tmpdir() == "/tmpdir\\");
    tmpdir.set("/");
    CHECK(os::tmpdir() == "/");
}
