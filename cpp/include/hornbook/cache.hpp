// What the encoder remembers: pre-token -> ids. One per worker, bounded, and never able to change the output.
//
// An entry is 32 bytes, key and value, two to a cache line. The value holds the ids themselves where they fit (seven of
// 16 bits or three of 32), otherwise a place in the arena, where longer pre-tokens have their bytes too. When the
// next growth would pass the limit, everything is forgotten; when memory cannot be had, nothing new is remembered.
#pragma once

#include <cstring>
#include <vector>

#include "hornbook/keys.hpp"
#include "hornbook/memory.hpp"

namespace hornbook {

template <class Id>
class EncodeCache {
 public:
  static constexpr size_t kInline = (16 - sizeof(Id)) / sizeof(Id);
  static constexpr Id kElsewhere = static_cast<Id>(~Id{0});
  static constexpr size_t kLongestText = 1024;  // longer pre-tokens are not remembered

  struct Entry {
    Key key;
    Id ids[kInline];
    Id count;  // of ids, or kElsewhere: then `record` says where
  };
  static_assert(sizeof(Entry) == 32);

  struct Record {  // in the arena, followed by the ids and the text
    uint32_t num_ids, num_bytes;
    const Id* ids() const { return reinterpret_cast<const Id*>(this + 1); }
    const uint8_t* text() const { return reinterpret_cast<const uint8_t*>(ids() + num_ids); }
  };

  explicit EncodeCache(size_t limit_bytes) : limit_(limit_bytes) {
    if (entries_.try_allocate(kFirstSlots)) mask_ = kFirstSlots - 1;
  }

  bool usable() const { return entries_.data() != nullptr; }
  void prefetch(uint64_t hash) const { __builtin_prefetch(entries_.data() + (hash & mask_)); }

  // The entry of this pre-token, or nullptr.
  const Entry* find(const Key& key, uint64_t hash, const uint8_t* text, size_t length) const {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Entry& e = entries_[at];
      if (e.key == key) [[likely]] {
        if (!key.is_long()) [[likely]] return &e;
        const Record& r = record(e);
        if (r.num_bytes == length && std::memcmp(r.text(), text, length) == 0) return &e;
      } else if (e.key.high == 0) {
        return nullptr;
      }
    }
  }

  const Record& record(const Entry& e) const {
    const Record* place;
    std::memcpy(&place, e.ids, sizeof place);
    return *place;
  }

  // Remembers `ids` (symbols already as ids). The key must not be there.
  void insert(const Key& key, uint64_t hash, const uint8_t* text, size_t length, const Id* ids, size_t count) {
    if (length > kLongestText || !make_room()) return;
    Entry fresh{};
    fresh.key = key;
    if (count <= kInline && !key.is_long()) {
      std::memcpy(fresh.ids, ids, count * sizeof(Id));
      fresh.count = static_cast<Id>(count);
    } else {
      const size_t text_bytes = key.is_long() ? length : 0;
      uint8_t* place = allocate(sizeof(Record) + count * sizeof(Id) + text_bytes);
      if (!place) return;
      const Record head{static_cast<uint32_t>(count), static_cast<uint32_t>(text_bytes)};
      std::memcpy(place, &head, sizeof head);
      std::memcpy(place + sizeof head, ids, count * sizeof(Id));
      std::memcpy(place + sizeof head + count * sizeof(Id), text, text_bytes);
      std::memcpy(fresh.ids, &place, sizeof place);
      fresh.count = kElsewhere;
    }
    size_t at = hash & mask_;
    while (entries_[at].key.high) at = (at + 1) & mask_;
    entries_[at] = fresh;
    ++size_;
  }

  size_t memory() const {
    size_t total = entries_.bytes();
    for (const auto& slab : slabs_) total += slab.bytes();
    return total;
  }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kFirstSlots = size_t{1} << 13;
  static constexpr size_t kSlab = size_t{1} << 18;

  bool make_room() {
    if (!usable()) return false;
    if ((size_ + 1) * 8 <= (mask_ + 1) * 5) return true;
    const size_t twice = 2 * entries_.size();
    HugeArray<Entry> old;
    if (memory() + twice * sizeof(Entry) > limit_ || !old.try_allocate(twice)) {
      forget();
      return true;
    }
    old.swap(entries_);
    mask_ = entries_.size() - 1;
    for (size_t i = 0; i < old.size(); ++i) {
      if (!old[i].key.high) continue;
      size_t at = hash_key(old[i].key) & mask_;
      while (entries_[at].key.high) at = (at + 1) & mask_;
      entries_[at] = old[i];
    }
    return true;
  }

  void forget() {
    std::memset(static_cast<void*>(entries_.data()), 0, entries_.size() * sizeof(Entry));
    slabs_.clear();
    slab_used_ = size_ = 0;
  }

  uint8_t* allocate(size_t bytes) {
    bytes = (bytes + 7) / 8 * 8;
    if (slabs_.empty() || slab_used_ + bytes > slabs_.back().size()) {
      if (memory() + kSlab > limit_) {
        forget();
        return nullptr;
      }
      HugeArray<uint8_t> slab;
      if (!slab.try_allocate(kSlab)) return nullptr;
      slabs_.push_back(std::move(slab));
      slab_used_ = 0;
    }
    uint8_t* place = slabs_.back().data() + slab_used_;
    slab_used_ += bytes;
    return place;
  }

  HugeArray<Entry> entries_;
  size_t mask_ = 0, size_ = 0, limit_;
  std::vector<HugeArray<uint8_t>> slabs_;
  size_t slab_used_ = 0;
};

}  // namespace hornbook
