// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/detail/asio.hpp>
#include <brood/base/error.hpp>
#include <brood/http/byte_range.hpp>
#include <brood/http/conditions.hpp>
#include <brood/http/content_type.hpp>
#include <brood/http/date.hpp>
#include <brood/http/detail/open_beneath.hpp>
#include <brood/http/etag.hpp>
#include <brood/http/file.hpp>
#include <brood/http/refusal.hpp>
#include <brood/http/request.hpp>
#include <brood/http/response.hpp>
#include <brood/http/target.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace brood::http
{
namespace detail
{

/// A regular file that is open, and what tells one state of it from another.
struct open_file
{
    explicit open_file(descriptor file) : number(std::move(file))
    {
        struct stat found = {};
        check(::fstat(number.get(), &found), "look at a file");
        if (!S_ISREG(found.st_mode))
            throw refusal(404, "not found");
        size = static_cast<std::uint64_t>(found.st_size);
        modified = found.st_mtim.tv_sec;
        auto nanoseconds = std::int64_t{modified} * 1'000'000'000 + found.st_mtim.tv_nsec;
        etag = file_etag(size, nanoseconds, found.st_ino);
    }

    validators current() const { return {etag, modified}; }

    descriptor number;
    std::uint64_t size = 0;
    std::time_t modified = 0;
    std::string etag;
};

/// What is missing is the client's mistake, and so is what it may not see.
inline descriptor open_or_refuse(int number, std::string_view path)
{
    if (number != -1)
        return descriptor(number);
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP ||
        errno == EACCES || errno == EXDEV || errno == ENXIO)
        throw refusal(404, "not found");
    throw_system_error(errno, "open", path);
}

inline task<> send_open_file(const request& to, response& by, open_file file)
{
    by.set("ETag", file.etag).set("Last-Modified", to_http_date(file.modified));
    by.set("Accept-Ranges", "bytes");
    if (by.status() != 200) // RFC 9110 13.2.1, 14.2: a failure has no conditions and no ranges
    {
        co_await by.end_with_file(file.number.get(), 0, file.size);
        co_return;
    }
    auto if_match = to.headers().joined("If-Match");
    auto if_none_match = to.headers().joined("If-None-Match");
    conditions asked;
    asked.if_match = if_match;
    asked.if_none_match = if_none_match;
    asked.if_modified_since = to.header("If-Modified-Since");
    asked.if_unmodified_since = to.header("If-Unmodified-Since");
    auto decided = evaluate(to.method(), asked, file.current());
    if (decided != verdict::serve)
    {
        by.status(decided == verdict::not_modified ? 304 : 412);
        co_await by.end();
        co_return;
    }
    auto part = select_range(to.method(), to.header("Range"), to.header("If-Range"), file.current(),
                             file.size);
    if (part.what != byte_range::extent::whole)
        by.set("Content-Range", content_range(part, file.size));
    if (part.what == byte_range::extent::unsatisfiable)
    {
        by.status(416);
        co_await by.end();
        co_return;
    }
    if (part.what == byte_range::extent::part)
        by.status(206);
    co_await by.end_with_file(file.number.get(), part.first, part.count);
}

// One slash at its front: two would name another host.
inline std::string with_slash(std::string_view path)
{
    auto name = path.substr(std::min(path.find_first_not_of('/'), path.size()));
    return '/' + std::string(name) + '/';
}

inline std::string query_of(const target& asked)
{
    return asked.query_text().empty() ? std::string() : '?' + std::string(asked.query_text());
}

inline bool is_folder(const descriptor& found)
{
    struct stat what = {};
    check(::fstat(found.get(), &what), "look at a file");
    return S_ISDIR(what.st_mode);
}

inline task<> answer_with_file_of(std::shared_ptr<descriptor> folder, request& to, response& by)
{
    if (to.method() != "GET" && to.method() != "HEAD")
    {
        by.status(405).set("Allow", "GET, HEAD");
        co_await by.end();
        co_return;
    }
    auto path = to.path();
    auto wanted = path.ends_with('/') ? path + "index.html" : path;
    auto found = open_or_refuse(open_beneath(*folder, wanted), wanted);
    if (is_folder(found))
    {
        target asked(to.target());
        by.status(301).set("Location", with_slash(asked.raw_path()) + query_of(asked));
        co_await by.end();
        co_return;
    }
    open_file file(std::move(found));
    by.set("Content-Type", content_type(wanted));
    co_await send_open_file(to, by, std::move(file));
}

} // namespace detail

BROOD_INLINE task<> send_file(const request& to, response& by, std::string path)
{
    detail::open_file file(
        detail::open_or_refuse(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), path));
    if (!by.headers().has("Content-Type"))
        by.set("Content-Type", content_type(path));
    return detail::send_open_file(to, by, std::move(file));
}

BROOD_INLINE files::files(const std::string& folder)
    : folder_(std::make_shared<descriptor>(
          check(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open folder", folder)))
{
}

BROOD_INLINE task<> files::operator()(request& to, response& by) const
{
    return detail::answer_with_file_of(folder_, to, by);
}

} // namespace brood::http
