// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::detail
{

/// What a command prints on one stream: kept up to a limit, and told to an observer as it comes.
class kept_output
{
public:
    using observer = std::function<void(std::string_view)>;

    kept_output(std::size_t most, observer call) : most_(most), observer_(std::move(call)) {}

    /// False when there was more than the limit; the part before it is kept. Throws what the
    /// observer throws.
    bool add(std::string_view piece)
    {
        auto kept = piece.substr(0, most_ - text_.size());
        text_.append(kept);
        if (observed_ && observer_ && !kept.empty())
            observer_(kept);
        return kept.size() == piece.size();
    }

    // A flag, as the observer itself may be what leads here.
    void stop_observing() noexcept { observed_ = false; }

    std::string take() noexcept { return std::move(text_); }

private:
    std::string text_;
    std::size_t most_;
    observer observer_;
    bool observed_ = true;
};

} // namespace brood::detail
