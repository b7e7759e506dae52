// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/process/environment.hpp>

#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace brood
{

BROOD_INLINE environment::environment()
{
    for (auto place = environ; place != nullptr && *place != nullptr; ++place)
    {
        std::string_view line(*place);
        auto equals = line.find('=', 1);
        if (equals != std::string_view::npos)
            variables_.try_emplace(std::string(line.substr(0, equals)), line.substr(equals + 1));
    }
}

BROOD_INLINE environment environment::only(const std::map<std::string, std::string>& variables)
{
    environment result{nothing{}};
    for (auto& [name, value] : variables)
        result.set(name, value);
    return result;
}

BROOD_INLINE environment& environment::set(std::string name, std::string value)
{
    constexpr std::string_view forbidden("=\0", 2);
    if (name.empty() || name.find_first_of(forbidden) != std::string::npos ||
        value.find('\0') != std::string::npos)
        throw std::invalid_argument("brood: '" + name +
                                    "' cannot be a variable: a name is not empty and has no '=', "
                                    "and neither name nor value has a zero byte");
    variables_.insert_or_assign(std::move(name), std::move(value));
    return *this;
}

BROOD_INLINE environment& environment::unset(const std::string& name)
{
    variables_.erase(name);
    return *this;
}

BROOD_INLINE std::optional<std::string> environment::get(const std::string& name) const
{
    auto found = variables_.find(name);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
}

BROOD_INLINE std::vector<std::string> environment::lines() const
{
    std::vector<std::string> result;
    result.reserve(variables_.size());
    for (auto& [name, value] : variables_)
        result.push_back(name + '=' + value);
    return result;
}

} // namespace brood
