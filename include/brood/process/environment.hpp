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
/// edited: `environment().set("LANG", "C").unset("DISPLAY")`; or exactly those that are named:
/// `environment::only({{"PATH", "/bin"}})`.
///
/// Names that differ only in case are different; an empty value is a value.
class environment
{
public:
    /// A snapshot of this process's environment. Of a name that is there twice, the first counts,
    /// as for getenv(3). As for getenv, no other thread may change the environment meanwhile.
    environment()
    {
        for (auto place = environ; place != nullptr && *place != nullptr; ++place)
        {
            std::string_view line(*place);
            auto equals = line.find('=', 1);
            if (equals != std::string_view::npos)
                variables_.try_emplace(std::string(line.substr(0, equals)),
                                       line.substr(equals + 1));
        }
    }

    /// Nothing but these, and what is set afterwards. Throws what set() throws.
    static environment only(const std::map<std::string, std::string>& variables = {})
    {
        environment result{nothing{}};
        for (auto& [name, value] : variables)
            result.set(name, value);
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

    /// Takes a variable out; one that is not there is no error.
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

    /// Each as "name=value", sorted by name, as exec(2) takes them.
    std::vector<std::string> lines() const
    {
        std::vector<std::string> result;
        result.reserve(variables_.size());
        for (auto& [name, value] : variables_)
            result.push_back(name + '=' + value);
        return result;
    }

    friend bool operator==(const environment&, const environment&) = default;

private:
    struct nothing
    {
    };

    explicit environment(nothing) {}

    std::map<std::string, std::string> variables_;
};

} // namespace brood
