// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/internal/demangled.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#ifdef __linux__
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

namespace brood::detail
{

/// How this program is started once more, and how it is called then.
struct this_program
{
    std::string file;
    std::string name; ///< A path that people know it by.

    static this_program find()
    {
        constexpr auto link = "/proc/self/exe";
        constexpr std::string_view deleted = " (deleted)";
        std::error_code failed;
        auto target = std::filesystem::read_symlink(link, failed).string();
        auto started_as = name_at_start();
        // Its file was replaced: the link still leads to the one that runs.
        if (target.ends_with(deleted))
            return {link, target.substr(0, target.size() - deleted.size())};
        // Without /proc, or when something else runs this program: valgrind, the dynamic linker.
        if (is_file(started_as) && !is_same(started_as, link))
            return {started_as, started_as};
        return {link, target.empty() ? link : target};
    }

private:
    static std::string name_at_start()
    {
#ifdef __linux__
        auto name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
        if (name != nullptr)
            return name;
#endif
        return {};
    }

    static bool is_file(const std::string& name)
    {
        struct stat file = {};
        return ::stat(name.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
               ::access(name.c_str(), X_OK) == 0;
    }

    static bool is_same(const std::string& one, const char* other)
    {
        struct stat first = {}, second = {};
        return ::stat(one.c_str(), &first) == 0 && ::stat(other, &second) == 0 &&
               first.st_dev == second.st_dev && first.st_ino == second.st_ino;
    }
};

/// The function of an entry, as it is called in its source: "serve".
inline std::string entry_title(const char* name)
{
    // "brood::detail::registered<&(serve(brood::process&))>", or without parameters
    auto text = demangled(name);
    std::string_view title = text;
    title = title.substr(0, title.find("(brood::process&"));
    while (title.ends_with('>'))
        title.remove_suffix(1);
    title.remove_prefix(title.find_last_of(":<&({") + 1);
    return title.empty() ? "entry" : std::string(title);
}

/// What the kernel calls this process, in ps, pgrep, core files and its log: as its program is
/// called, and not "exe", as the link is.
inline void set_process_name([[maybe_unused]] std::string_view argv0)
{
#ifdef __linux__
    std::string name(argv0.substr(0, argv0.find(": ")));
    name.erase(0, name.rfind('/') + 1);
    ::prctl(PR_SET_NAME, name.c_str());
#endif
}

} // namespace brood::detail
