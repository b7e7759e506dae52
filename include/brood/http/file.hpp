// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/task.hpp>

#include <memory>
#include <string>

namespace brood::http
{

class request;
class response;

/// Answers with a file of this path, which the caller has checked: what a client may name is for
/// `files`.
///
/// Whole or, when the client asks for it, one range of it (206, 416); not at all when the client
/// has it already (304) or has other conditions (412). ETag, Last-Modified, and Content-Type by its
/// ending are set, unless the handler has set a Content-Type. The kernel sends it without a copy.
/// Throws refusal(404) for what is no regular file or cannot be seen, std::system_error for what
/// else the system refuses, and what response::write() throws.
task<> send_file(const request& to, response& by, std::string path);

/// A handler that serves the files of a folder: `http::serve(listener, http::files("public"))`.
///
/// GET and HEAD, others get 405. A folder gives its index.html; when the path lacks the slash at
/// its end, 301 to the one with it. Nothing outside the folder is served: not by "..", nor through
/// symbolic links; nor are files whose name, or that of a folder on the way, begins with a dot.
class files
{
public:
    /// The folder is opened here, so that it stays the same one when its name goes to another.
    /// Throws std::system_error (ENOENT, ENOTDIR).
    explicit files(const std::string& folder);

    task<> operator()(request& to, response& by) const;

private:
    std::shared_ptr<descriptor> folder_;
};

} // namespace brood::http

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/http/impl/file.ipp>
#endif
