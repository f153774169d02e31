#pragma once

namespace jackfield::plugin_host {

class PluginHost;

/// Registers jf.host.providers/1 and jf.host.records/1: other instances, as a plugin may use them. What it gets are tables of the
/// host's own, which carry the tenant's policy and then call the provider.
void add_provider_facilities(PluginHost& host);

}  // namespace jackfield::plugin_host
