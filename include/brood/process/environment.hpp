// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace brood
{

/// The variables that a program is given: those of this process at the moment it is made, then
/// edited.
class environment
{
public:
    /// A snapshot of this process's environment.
    environment()
    {
        for (auto place = environ; place != nullptr && *place != nullptr; ++place)
        {
            std::string_view line(*place);
            auto equals = line.find('=', 1);
            if (equals != std::string_view::npos)
                variables_.insert_or_assign(std::string(line.substr(0, equals)),
                                            std::string(line.substr(equals + 1)));
        }
    }

    /// Nothing but what is set afterwards.
    static environment empty()
    {
        environment result;
        result.variables_.clear();
        return result;
    }

    /// Throws std::invalid_argument for a name that is empty or holds '=', or a zero byte in
    /// either.
    environment& set(std::string name, std::string value)
    {
        constexpr std::string_view forbidden("=\0", 2);
        if (name.empty() || name.find_first_of(forbidden) != std::string::npos ||
            value.find('\0') != std::string::npos)
            throw std::invalid_argument(
                "brood: '" + name +
                "' cannot be a variable: a name is not empty and has no '=', and "
                "neither name nor value has a zero byte");
        variables_.insert_or_assign(std::move(name), std::move(value));
        return *this;
    }

    environment& unset(const std::string& name)
    {
        variables_.erase(name);
        return *this;
    }

    /// The value, or nothing for a variable that is not set.
    std::optional<std::string> get(const std::string& name) const
    {
        auto found = variables_.find(name);
        return found == variables_.end() ? std::nullopt : std::optional(found->second);
    }

    /// Each as "name=value", for exec.
    std::vector<std::string> lines() const
    {
        std::vector<std::string> result;
        for (auto& [name, value] : variables_)
            result.push_back(name + '=' + value);
        return result;
    }

private:
    std::map<std::string, std::string> variables_;
};

} // namespace brood
