// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace brood::detail
{

/// What a command prints on one stream: kept up to a limit, and told to a listener as it comes.
class kept_output
{
public:
    using listener = std::function<void(std::string_view)>;

    kept_output(std::size_t most, listener call) : most_(most), listener_(std::move(call)) {}

    /// False when there was more than the limit; the part before it is kept. Throws what the
    /// listener throws.
    bool add(std::string_view piece)
    {
        auto kept = piece.substr(0, most_ - text_.size());
        text_.append(kept);
        if (listens_ && listener_ && !kept.empty())
            listener_(kept);
        return kept.size() == piece.size();
    }

    // A flag, as the listener itself may be what leads here.
    void stop_listening() noexcept { listens_ = false; }

    std::string take() noexcept { return std::move(text_); }

private:
    std::string text_;
    std::size_t most_;
    listener listener_;
    bool listens_ = true;
};

} // namespace brood::detail
