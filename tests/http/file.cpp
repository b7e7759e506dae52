// SPDX-License-Identifier: BSL-1.0
#include <brood/http/file.hpp>

#include <brood/base/loop.hpp>
#include <brood/http/server.hpp>

#include "support/lowered_limit.hpp"
#include "support/raw_client.hpp"
#include "support/temporary_directory.hpp"
#include "support/within.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

using namespace std::chrono_literals;
using brood::task;
using brood::test::raw_client;
using brood::test::raw_response;
namespace http = brood::http;

namespace
{

// A folder to serve, beside something that must not be served.
class site
{
public:
    site()
    {
        write("secret", "not yours");
        std::filesystem::create_directories(root() / "sub/deeper");
        write("site/page.html", "<p>hello</p>");
        write("site/ten", "0123456789");
        write("site/index.html", "front");
        write("site/sub/index.html", "sub front");
        write("site/.hidden", "not yours");
        std::filesystem::create_symlink("../secret", root() / "link");
        std::filesystem::create_directory_symlink("..", root() / "up");
    }

    std::filesystem::path root() const { return folder_.path() / "site"; }

    void write(const std::string& name, const std::string& text) const
    {
        std::filesystem::create_directories((folder_.path() / name).parent_path());
        std::ofstream(folder_.path() / name) << text;
    }

private:
    brood::test::temporary_directory folder_;
};

task<raw_response> ask(const site& from, std::string method, std::string path,
                       std::string headers = "")
{
    http::server server{http::files(from.root())};
    raw_client client(server);
    co_await client.send(method + " " + path + " HTTP/1.1\r\nHost: b\r\n" + headers + "\r\n");
    auto answer = co_await client.response(method == "HEAD");
    co_return answer.value();
}

} // namespace

TEST_WITHIN(5s, "a file is sent whole, with its type, its length, and what tells its state",
            "[http]")
{
    site here;
    auto answer = co_await ask(here, "GET", "/page.html");
    CHECK(answer.status == 200);
    CHECK(answer.body == "<p>hello</p>");
    CHECK(answer.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(answer.header("Content-Length") == "12");
    CHECK(answer.header("ETag")->starts_with('"'));
    CHECK(answer.header("Last-Modified")->ends_with(" GMT"));
    CHECK(answer.header("Accept-Ranges") == "bytes");

    auto head = co_await ask(here, "HEAD", "/page.html");
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == "12");
}

TEST_WITHIN(10s, "a range of a file is sent when it is asked for", "[http]")
{
    site here;
    auto part = co_await ask(here, "GET", "/ten", "Range: bytes=2-4\r\n");
    CHECK(part.status == 206);
    CHECK(part.body == "234");
    CHECK(part.header("Content-Range") == "bytes 2-4/10");

    auto last = co_await ask(here, "GET", "/ten", "Range: bytes=-3\r\n");
    CHECK(last.body == "789");

    auto beyond = co_await ask(here, "GET", "/ten", "Range: bytes=10-\r\n");
    CHECK(beyond.status == 416);
    CHECK(beyond.header("Content-Range") == "bytes */10");

    auto changed = co_await ask(here, "GET", "/ten", "Range: bytes=2-4\r\nIf-Range: \"other\"\r\n");
    CHECK(changed.status == 200);
    CHECK(changed.body == "0123456789");
}

TEST_WITHIN(10s, "a client that has the file already is told so", "[http]")
{
    site here;
    auto first = co_await ask(here, "GET", "/ten");
    auto tag = first.header("ETag").value();

    auto same = co_await ask(here, "GET", "/ten", "If-None-Match: " + tag + "\r\n");
    CHECK(same.status == 304);
    CHECK(same.header("ETag") == tag);
    auto since =
        co_await ask(here, "GET", "/ten",
                     "If-Modified-Since: " + first.header("Last-Modified").value() + "\r\n");
    CHECK(since.status == 304);
    auto refused = co_await ask(here, "GET", "/ten", "If-Match: \"other\"\r\n");
    CHECK(refused.status == 412);

    here.write("site/ten", "another text");
    auto changed = co_await ask(here, "GET", "/ten", "If-None-Match: " + tag + "\r\n");
    CHECK(changed.status == 200);
    CHECK(changed.body == "another text");
}

TEST_WITHIN(10s, "a folder gives its index, behind its slash", "[http]")
{
    site here;
    auto front = co_await ask(here, "GET", "/");
    CHECK(front.body == "front");
    auto sub = co_await ask(here, "GET", "/sub/");
    CHECK(sub.body == "sub front");
    auto moved = co_await ask(here, "GET", "/sub");
    CHECK(moved.status == 301);
    CHECK(moved.header("Location") == "/sub/");
    auto asked = co_await ask(here, "GET", "/sub?a=b&c");
    CHECK(asked.header("Location") == "/sub/?a=b&c");
    auto doubled = co_await ask(here, "GET", "//sub");
    CHECK(doubled.header("Location") == "/sub/");
    auto empty = co_await ask(here, "GET", "/sub/deeper/");
    CHECK(empty.status == 404);
}

TEST_WITHIN(20s, "nothing outside the folder is served, and nothing hidden", "[http]")
{
    site here;
    for (std::string path :
         {"/../secret", "/%2e%2e/secret", "/sub/../../secret", "/..%2fsecret", "/link",
          "/up/secret", "/.hidden", "/sub/./index.html", "/missing", "/ten/", "/ten/x"})
    {
        auto answer = co_await ask(here, "GET", path);
        CAPTURE(path);
        CHECK(answer.status == 404);
    }
    for (std::string path : {"/%00", "/%zz"})
    {
        auto answer = co_await ask(here, "GET", path);
        CHECK(answer.status == 400);
    }
    auto posted = co_await ask(here, "POST", "/ten");
    CHECK(posted.status == 405);
    CHECK(posted.header("Allow") == "GET, HEAD");
}

TEST_WITHIN(20s, "a large file goes out as the client reads it", "[http]")
{
    site here;
    std::string large(20U << 20, 'x');
    here.write("site/large", large);

    auto answer = co_await ask(here, "GET", "/large");

    CHECK(answer.body == large);
}

TEST_WITHIN(5s, "a handler sends a file of its own choice", "[http]")
{
    site here;
    auto path = (here.root() / "ten").string();
    auto handler = [path](http::request& to, http::response& by) -> task<>
    {
        by.set("Content-Type", "text/x-digits");
        co_await http::send_file(to, by, path);
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");

    auto answer = co_await client.response();

    CHECK(answer->body == "0123456789");
    CHECK(answer->header("Content-Type") == "text/x-digits");
}

TEST_CASE("a file that tells of a failure is sent whole, whatever was asked for", "[http]")
{
    within(
        5s,
        []() -> task<>
        {
            site here;
            auto path = (here.root() / "ten").string();
            auto handler = [path](http::request& to, http::response& by) -> task<>
            {
                by.status(404);
                co_await http::send_file(to, by, path);
            };
            http::server server(handler);
            raw_client client(server);
            for (std::string asked : {"Range: bytes=3-", "If-None-Match: *", "If-Match: \"other\""})
            {
                co_await client.send("GET / HTTP/1.1\r\nHost: b\r\n" + asked + "\r\n\r\n");
                auto answer = co_await client.response();
                CHECK(answer->status == 404);
                CHECK(answer->body == "0123456789");
            }
        });
}

TEST_WITHIN(5s, "conditions in several lines are one list", "[http]")
{
    site here;
    auto first = co_await ask(here, "GET", "/ten");
    auto tag = first.header("ETag").value();

    auto match = co_await ask(here, "GET", "/ten", "If-Match: \"a\"\r\nIf-Match: " + tag + "\r\n");
    auto none =
        co_await ask(here, "GET", "/ten", "If-None-Match: \"a\"\r\nIf-None-Match: " + tag + "\r\n");

    CHECK(match.status == 200);
    CHECK(none.status == 304);
}

TEST_WITHIN(5s, "a socket in the folder is not found", "[http]")
{
    site here;
    asio::local::stream_protocol::acceptor socket(brood::default_executor(),
                                                  (here.root() / "socket").string());

    auto answer = co_await ask(here, "GET", "/socket");

    CHECK(answer.status == 404);
}

TEST_WITHIN(5s, "nothing in a folder whose name begins with a dot is served", "[http]")
{
    site here;
    here.write("site/.git/config", "not yours");
    here.write("site/sub/.git/config", "not yours");

    for (std::string path : {"/.git/config", "/sub/.git/config", "/%2egit/config", "/.git/"})
    {
        auto answer = co_await ask(here, "GET", path);
        CAPTURE(path);
        CHECK(answer.status == 404);
    }
}

TEST_WITHIN(5s, "a folder stays the same one when its name goes to another", "[http]")
{
    site here;
    http::server server{http::files(here.root())};
    raw_client client(server);
    std::filesystem::rename(here.root(), here.root().string() + ".old");
    here.write("site/ten", "another");

    co_await client.send("GET /ten HTTP/1.1\r\nHost: b\r\n\r\n");
    auto answer = co_await client.response();

    CHECK(answer->body == "0123456789");
}

TEST_WITHIN(5s, "a handler that names no file that can be sent refuses with 404", "[http]")
{
    site here;
    here.write("site/file", "text");
    std::string path;
    auto handler = [&path](http::request& to, http::response& by) -> task<>
    {
        co_await http::send_file(to, by, path);
    };
    http::server server(handler);
    raw_client client(server);
    auto root = here.root().string();
    for (auto& named :
         {root, root + "/missing", root + "/file/below", root + "/" + std::string(300, 'x')})
    {
        CAPTURE(named);
        path = named;
        co_await client.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        auto answer = co_await client.response();
        CHECK(answer->status == 404);
    }
}

TEST_WITHIN(5s, "what else the system refuses is an error of the handler, not of the client",
            "[http]")
{
    site here;
    auto path = (here.root() / "ten").string();
    std::error_code refused;
    auto handler = [&](http::request& to, http::response& by) -> task<>
    {
        brood::test::lowered_limit none(RLIMIT_NOFILE, 3);
        try
        {
            co_await http::send_file(to, by, path);
        }
        catch (const std::system_error& error)
        {
            refused = error.code();
        }
    };
    http::server server(handler);
    raw_client client(server);
    co_await client.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
    co_await client.response();

    CHECK(refused == std::errc::too_many_files_open);
}

TEST_CASE("files() throws for what is no folder", "[http]")
{
    site here;
    auto reason = [](const std::string& folder)
    {
        try
        {
            http::files opened(folder);
        }
        catch (const std::system_error& refused)
        {
            return refused.code();
        }
        return std::error_code();
    };
    CHECK(reason("/no/such/folder") == std::errc::no_such_file_or_directory);
    CHECK(reason((here.root() / "ten").string()) == std::errc::not_a_directory);
}
