// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <brood/impl/config.hpp>

#include <map>
#include <optional>
#include <string>
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
    environment();

    /// Nothing but these, and what is set afterwards. Throws what set() throws.
    static environment only(const std::map<std::string, std::string>& variables = {});

    /// Throws std::invalid_argument for a name that is empty or holds '=', or a zero byte in
    /// either.
    environment& set(std::string name, std::string value);

    /// Takes a variable out; one that is not there is no error.
    environment& unset(const std::string& name);

    /// The value, or nothing for a variable that is not set.
    std::optional<std::string> get(const std::string& name) const;

    /// Each as "name=value", sorted by name, as exec(2) takes them.
    std::vector<std::string> lines() const;

    friend bool operator==(const environment&, const environment&) = default;

private:
    struct nothing
    {
    };

    explicit environment(nothing) {}

    std::map<std::string, std::string> variables_;
};

} // namespace brood

#if !defined(BROOD_SEPARATE_COMPILATION)
#include <brood/process/impl/environment.ipp>
#endif
