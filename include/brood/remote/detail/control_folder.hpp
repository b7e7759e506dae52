// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/error.hpp>
#include <brood/process/environment.hpp>

#include <stdlib.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

namespace brood::detail
{

/// A folder that its user alone may enter, for sockets by which ssh shares a connection. Goes with
/// all that is in it.
class control_folder
{
public:
    /// Throws std::system_error.
    control_folder() : path_(root() + "/brood-ssh-XXXXXX")
    {
        if (::mkdtemp(path_.data()) == nullptr)
            throw_system_error(errno, "make " + path_);
    }

    control_folder(const control_folder&) = delete;
    control_folder& operator=(const control_folder&) = delete;

    ~control_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    /// For one more socket.
    std::string new_path() { return path_ + "/" + std::to_string(++count_); }

private:
    // What is left there by one that was killed goes with the session of its user. A socket has a
    // short path.
    static std::string root()
    {
        constexpr std::size_t longest = 60;
        auto own = environment().get("XDG_RUNTIME_DIR").value_or("");
        std::error_code ignored;
        auto usable = own.size() <= longest && own.find_first_of("% \t\"\n") == own.npos &&
                      std::filesystem::is_directory(own, ignored);
        return usable ? own : "/tmp";
    }

    std::string path_;
    std::size_t count_ = 0;
};

} // namespace brood::detail
