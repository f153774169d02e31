#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace jackfield::media {

/// One recording while it is written. Used by the writing thread only; every call may block.
class RecordingFile {
  public:
    virtual ~RecordingFile() = default;
    /// Writes all of it or fails.
    virtual base::Result<> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) = 0;
    /// Makes it durable and gives it its final name.
    virtual base::Result<> commit() = 0;
};

/// Where recordings go. A seam, so that a simulation keeps them in memory and a test can fill the
/// disk.
class RecordingStorage {
  public:
    virtual ~RecordingStorage() = default;
    virtual base::Result<std::unique_ptr<RecordingFile>> create(const std::string& path) = 0;
};

/// Files with mode 0600, called `<path>.part` until they are committed. An existing recording is
/// never replaced.
class DiskRecordingStorage final : public RecordingStorage {
  public:
    base::Result<std::unique_ptr<RecordingFile>> create(const std::string& path) override;
};

}  // namespace jackfield::media
