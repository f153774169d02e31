#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/host.hpp"

namespace jackfield::app {

/// The running host's side of the command line: a Unix socket (mode 0600), one JSON request a line, one JSON answer a line:
///   {"cmd":"status"}                                              {"ok":true,"calls":2,...}
///   {"cmd":"calls"}                                               {"ok":true,"calls":[...]}
///   {"cmd":"call","tenant":..,"agent":..,"to":..,"from":..}       {"ok":true,"call":"01J..."}
///   {"cmd":"hangup","call":..}                                    {"ok":true}
///   {"cmd":"why","call":..}                                       {"ok":true,"number":3,"decisions":[...]}
///   {"cmd":"trace","call":..}                                     {"ok":true,"started_us":..,"entries":[...]}
///   {"cmd":"listen","call":..}                                    {"ok":true,"law":"mu",..}, then what is said, a packet a line, until {"over":true,..}
///   {"cmd":"follow"}                                              {"ok":true}, then an event a line until the client goes
class ControlServer {
  public:
    /// Fails when another host answers on the socket; a stale file is replaced.
    static base::Result<std::unique_ptr<ControlServer>> create(Host& host, const std::filesystem::path& socket);
    ~ControlServer();

  private:
    struct Impl;
    explicit ControlServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The command line's side: sends one request and hands each line of the answer to `on_line` until it says false or the host
/// closes. Fails when nobody listens, naming the socket and what to do.
base::Result<> control_request(const std::filesystem::path& socket, const std::string& request,
                               const std::function<bool(const std::string&)>& on_line);

}  // namespace jackfield::app
