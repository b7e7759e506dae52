// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

namespace brood
{

/// The arguments of a program, without its name: `{"-l", "/tmp"}`, or a vector of strings.
///
/// They reach the program literally; no shell reads them.
class arguments
{
public:
    arguments() = default;

    arguments(std::vector<std::string> list) : list_(std::move(list)) {}

    // No std::initializer_list: g++ 12 refuses it beside a co_await.
    template <class... Texts>
    requires(sizeof...(Texts) > 0 && (std::convertible_to<Texts, std::string> && ...))
        arguments(Texts&&... texts)
    {
        list_.reserve(sizeof...(texts));
        (list_.emplace_back(std::forward<Texts>(texts)), ...);
    }

    const std::vector<std::string>& list() const noexcept { return list_; }

private:
    std::vector<std::string> list_;
};

} // namespace brood
