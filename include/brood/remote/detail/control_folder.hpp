// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>
#include <brood/base/error.hpp>
#include <brood/process/environment.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

namespace brood::detail
{

/// A folder that its user alone may enter, for sockets by which ssh shares a connection. Goes with
/// all that is in it. What one left that was killed, the next one takes away.
class control_folder
{
public:
    /// Throws std::system_error.
    control_folder()
    {
        take_left_away();
        while (!make())
            continue; // somebody took it for one that was left
    }

    control_folder(const control_folder&) = delete;
    control_folder& operator=(const control_folder&) = delete;

    ~control_folder() { remove(path_); }

    /// For one more socket.
    std::string new_path() { return path_ + "/" + std::to_string(++count_); }

private:
    static constexpr const char* prefix = "brood-ssh-";

    // What is left there by one that was killed goes with the session of its user at the latest. A
    // socket has a short path.
    static std::string root()
    {
        constexpr std::size_t longest = 60;
        auto own = environment().get("XDG_RUNTIME_DIR").value_or("");
        std::error_code ignored;
        auto usable = own.size() <= longest && own.find_first_of("% \t\"\n") == own.npos &&
                      std::filesystem::is_directory(own, ignored);
        return usable ? own : "/tmp";
    }

    static void remove(const std::string& path)
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

    // ---- Whose it is: as long as the process lives that made it, it is locked, for processes of
    // ---- other containers too.

    // Nothing for what is no folder of this user.
    static descriptor open(const std::string& path)
    {
        constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        descriptor opened(retry([&] { return ::open(path.c_str(), flags); }));
        struct stat about = {};
        auto ours = opened && ::fstat(opened.get(), &about) == 0 && about.st_uid == ::geteuid();
        return ours ? std::move(opened) : descriptor();
    }

    bool make()
    {
        path_ = root() + '/' + prefix + "XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr)
            throw_system_error(errno, "make " + path_);
        lock_ = open(path_);
        // Before it is locked it looks like one that was left.
        auto locked = lock_ && retry([&] { return ::flock(lock_.get(), LOCK_EX); }) == 0;
        return !locked || ::access(path_.c_str(), F_OK) == 0;
    }

    static void take_left_away()
    {
        std::error_code ignored;
        for (auto& entry : std::filesystem::directory_iterator(root(), ignored))
        {
            auto path = entry.path().string();
            if (!entry.path().filename().string().starts_with(prefix))
                continue;
            auto left = open(path);
            if (left && ::flock(left.get(), LOCK_EX | LOCK_NB) == 0)
                remove(path);
        }
    }

    std::string path_;
    descriptor lock_;
    std::size_t count_ = 0;
};

} // namespace brood::detail
