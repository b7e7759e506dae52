// SPDX-License-Identifier: BSL-1.0
// A server of the files in a folder, by two workers. On SIGHUP it goes on with the folder that has
// this name now, worker by worker, and no request fails meanwhile.
//
// Prints:
//   /page.html: text/html; charset=utf-8, 9 bytes: version 1
//   replaced 2 workers
//   /page.html: text/html; charset=utf-8, 9 bytes: version 2
#include <brood/brood.hpp>
#include <brood/http.hpp>

#include <cereal/types/string.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace fs = std::filesystem;

brood::task<> serve(brood::process& self, std::string folder) // runs in the workers
{
    auto listener = co_await self.listen(0);
    brood::http::files pages(folder);
    co_await brood::http::serve(listener, pages);
}

void publish(const fs::path& site, const std::string& text)
{
    auto next = site;
    next += ".next";
    fs::create_directories(next);
    std::ofstream(next / "page.html") << text;
    fs::remove_all(site);
    fs::rename(next, site);
}

brood::task<> show(std::uint16_t port)
{
    auto page =
        co_await brood::http::get("http://localhost:" + std::to_string(port) + "/page.html");
    std::cout << "/page.html: " << page.headers.find("Content-Type").value() << ", "
              << page.headers.find("Content-Length").value() << " bytes: " << page.body << '\n';
}

brood::task<> primary(brood::process& self) // runs here
{
    auto site = fs::temp_directory_path() / ("site." + std::to_string(self.pid()));
    publish(site, "version 1");
    brood::cluster_settings settings;
    settings.size = 2;
    brood::cluster<serve> workers(settings, site.string());
    co_await workers.ready();
    auto port = workers.workers().front().port();
    co_await show(port);

    publish(site, "version 2");
    brood::signals hang_up(SIGHUP);
    ::kill(self.pid(), SIGHUP); // as an administrator would
    co_await hang_up.next();
    auto report = co_await workers.reload();
    std::cout << report << '\n';
    co_await show(port);

    co_await workers.stop();
    fs::remove_all(site);
}

int main()
{
    return brood::run(primary);
}
