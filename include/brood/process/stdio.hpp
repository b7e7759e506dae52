// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/base/descriptor.hpp>

#include <memory>
#include <string>
#include <utility>

namespace brood
{

/// Where a descriptor of a child leads: one choice, made by a named constructor.
class stdio
{
public:
    enum class kind
    {
        inherit,
        ignore,
        pipe,
        pipe_to_child,
        duplex,
        file,
        descriptor,
        same_as_stdout,
    };

    /// Where this process's descriptor of the same number leads. One of the first three that is
    /// closed here leads to the null device, so that no file of the child takes its place.
    static stdio inherit() { return stdio(kind::inherit); }

    /// The null device: reading ends at once, what is written vanishes.
    static stdio ignore() { return stdio(kind::ignore); }

    /// A pipe to this process: the child reads its stdin, and writes everything else. A real pipe,
    /// so that the child can open it by name (/dev/stdout).
    static stdio pipe() { return stdio(kind::pipe); }

    /// A pipe that the child reads, for another number than that of its stdin.
    static stdio pipe_to_child() { return stdio(kind::pipe_to_child); }

    /// A stream both ways: a pair of local sockets, which cannot be opened by name.
    static stdio duplex() { return stdio(kind::duplex); }

    /// A file that exists, to read from. A relative path begins where this process is, not the
    /// child.
    static stdio read(std::string path) { return stdio(std::move(path), O_RDONLY); }

    /// A file to write to; it is made, or made empty.
    static stdio write(std::string path)
    {
        return stdio(std::move(path), O_WRONLY | O_CREAT | O_TRUNC);
    }

    /// A file to write to the end of; it is made when it does not exist.
    static stdio append(std::string path)
    {
        return stdio(std::move(path), O_WRONLY | O_CREAT | O_APPEND);
    }

    /// An open descriptor; the child gets a duplicate. Ours is closed with the last copy of this.
    ///
    /// As a standard stream it blocks in the child, and not here: what can be opened by its name in
    /// /proc, a pipe or a terminal, is opened once more. A socket that is open here by another
    /// number as well, and is not to block, does not block there either.
    static stdio from(descriptor open)
    {
        stdio result(kind::descriptor);
        result.number_ = open.get();
        result.open_ = std::make_shared<descriptor>(std::move(open));
        return result;
    }

    /// The same for one that somebody else closes, not before the child has started. A socket of
    /// Asio that is lent in this way stays as it is.
    static stdio from(int open)
    {
        stdio result(kind::descriptor);
        result.number_ = open;
        return result;
    }

    /// A pipe between two children, one of which reads what the other writes:
    ///
    ///     auto [reading, writing] = stdio::pipe_between();
    ///
    /// Each is for the options of one child. The reader sees the end when nobody holds the writing
    /// end any more: let both, and the options, go when the children run. Throws std::system_error.
    static std::pair<stdio, stdio> pipe_between();

    /// Where stdout leads, as 2>&1 in a shell. Not for stdin, nor for stdout itself.
    static stdio same_as_stdout() { return stdio(kind::same_as_stdout); }

    /// A descriptor says by itself where it leads.
    stdio(descriptor open) : stdio(from(std::move(open))) {}

    kind what() const noexcept { return kind_; }

    const std::string& path() const noexcept { return path_; }

    /// How to open the file, for open(2).
    int flags() const noexcept { return flags_; }

    /// The number of the open descriptor, -1 when this is none.
    int number() const noexcept { return number_; }

    /// Whether that is closed with the last copy of this.
    bool is_owned() const noexcept { return open_ != nullptr; }

private:
    explicit stdio(kind what) : kind_(what) {}

    stdio(std::string path, int flags) : kind_(kind::file), path_(std::move(path)), flags_(flags) {}

    kind kind_;
    std::string path_;
    int flags_ = 0;
    int number_ = -1;
    std::shared_ptr<descriptor> open_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/stdio.ipp>
#endif
