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
        file,
        descriptor,
        same_as_stdout,
    };

    /// Where the parent's descriptor of the same number leads.
    static stdio inherit() { return stdio(kind::inherit); }

    /// The null device: reading ends at once, what is written vanishes.
    static stdio ignore() { return stdio(kind::ignore); }

    /// A pipe to this process: a real one, so that the child can open it by name (/dev/stdout).
    static stdio pipe() { return stdio(kind::pipe); }

    /// A file that exists, to read from.
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

    /// An open descriptor; the child gets a duplicate.
    static stdio from(descriptor open)
    {
        stdio result(kind::descriptor);
        result.open_ = std::make_shared<descriptor>(std::move(open));
        return result;
    }

    /// For stderr: where stdout leads, as 2>&1 in a shell.
    static stdio same_as_stdout() { return stdio(kind::same_as_stdout); }

    kind what() const noexcept { return kind_; }

    const std::string& path() const noexcept { return path_; }

    /// How to open the file, for open(2).
    int flags() const noexcept { return flags_; }

    /// The number of the open descriptor.
    int number() const noexcept { return open_ ? open_->get() : -1; }

private:
    explicit stdio(kind what) : kind_(what) {}

    stdio(std::string path, int flags) : kind_(kind::file), path_(std::move(path)), flags_(flags) {}

    kind kind_;
    std::string path_;
    int flags_ = 0;
    std::shared_ptr<descriptor> open_;
};

} // namespace brood
