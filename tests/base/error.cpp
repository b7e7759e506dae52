// SPDX-License-Identifier: BSL-1.0
#include <brood/base/error.hpp>

#include "support/catch.hpp"

#include <fcntl.h>

#include <algorithm>

using namespace brood;

TEST_CASE("an errc compares with the code that an error carries", "[error]")
{
    error thrown(errc::wrong_type, "child 7: sent an int, asked for a string");

    CHECK(thrown.code() == errc::wrong_type);
    CHECK(thrown.code() != errc::closed);
    CHECK(thrown.code().category() == error_category());
}

TEST_CASE("an error says who and what, then its class", "[error]")
{
    error thrown(errc::closed, "child 7");

    CHECK(thrown.what() == std::string("child 7: channel closed"));
    CHECK(thrown.text() == "child 7");
}

TEST_CASE("every errc has a text of its own", "[error]")
{
    std::vector<std::string> texts;
    for (int value = 1; value <= static_cast<int>(errc::too_many_failures); ++value)
        texts.push_back(error_category().message(value));

    std::sort(texts.begin(), texts.end());

    CHECK(std::adjacent_find(texts.begin(), texts.end()) == texts.end());
    CHECK(std::count_if(texts.begin(), texts.end(),
                        [](auto& text) { return text.find("unknown") != text.npos; }) == 0);
    CHECK(error_category().message(1000) == "unknown error 1000");
}

TEST_CASE("check() hands a good result on and throws the step, the subject and errno", "[error]")
{
    CHECK(check(3, "open") == 3);
    CHECK(check(ssize_t{0}, "read") == 0);

    CHECK_THROWS_WITH(check(::open("/does/not/exist", O_RDONLY), "open", "/does/not/exist"),
                      "open /does/not/exist: No such file or directory");
}

TEST_CASE("check() takes MAP_FAILED for a failure, and no other pointer", "[error]")
{
    int there = 0;
    void* good = &there;
    CHECK(check(good, "map") == good);
    CHECK(check(static_cast<void*>(nullptr), "map") == nullptr);
    errno = ENOMEM;
    CHECK_THROWS_WITH(check(reinterpret_cast<void*>(-1), "map"), "map: Cannot allocate memory");
}

TEST_CASE("a class of errors converts to a code, and has the name of brood", "[error]")
{
    std::error_code code = errc::closed;
    CHECK(code == errc::closed);
    CHECK(code.category().name() == std::string("brood"));
    CHECK(code != std::error_code(static_cast<int>(errc::closed), std::system_category()));
}

TEST_CASE("check() throws the errno as a system error", "[error]")
{
    try
    {
        check(::close(-1), "close");
        FAIL("check() did not throw");
    }
    catch (const std::system_error& thrown)
    {
        CHECK(thrown.code() == std::errc::bad_file_descriptor);
    }
}

TEST_CASE("retry() calls again after a signal, and only then", "[error]")
{
    int calls = 0;
    auto interrupted_twice = [&calls]
    {
        errno = EINTR;
        return ++calls < 3 ? -1 : 7;
    };
    auto failing = [&calls]
    {
        ++calls;
        errno = EBADF;
        return -1;
    };

    CHECK(retry(interrupted_twice) == 7);
    CHECK(calls == 3);
    CHECK(retry(failing) == -1);
    CHECK(calls == 4);
}
