-- phpMyAdmin SQL Dump
-- version 4.9.5
--
-- Host: localhost
-- Generation Time: Mar 11, 2026 at 08:14 AM
-- Server version: 10.3.38-MariaDB
-- PHP Version: 7.2.34

SET SQL_MODE = "NO_AUTO_VALUE_ON_ZERO";
SET time_zone = "+07:00";
/*!40101 SET NAMES utf8mb4 */;

--
-- Database: `pengaduan_masyarakat`
--

CREATE TABLE `masyarakat` (
  `nik` char(16) NOT NULL,
  `nama` varchar(35) NOT NULL,
  `username` varchar(25) NOT NULL,
  `password` varchar(32) NOT NULL,
  `telp` varchar(13) NOT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

INSERT INTO `masyarakat` (`nik`, `nama`, `username`, `password`, `telp`) VALUES
('6202051507880003', 'Siti Aminah', 'aminah88', '0b77520f93de693bdab0060746e38165', '081255510031'),
('6202064203920001', 'Yohanes Tambunan', 'yohanes', '25d55ad283aa400af464c76d713c07ad', '085251110942'),
('6202010111790005', 'H. Rahmadi', 'rahmadi79', 'e10adc3949ba59abbe56e057f20f883e', '081349007712');

CREATE TABLE `petugas` (
  `id_petugas` int(11) NOT NULL,
  `nama_petugas` varchar(35) NOT NULL,
  `username` varchar(25) NOT NULL,
  `password` varchar(32) NOT NULL,
  `telp` varchar(13) NOT NULL,
  `level` enum('admin','petugas') NOT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

INSERT INTO `petugas` (`id_petugas`, `nama_petugas`, `username`, `password`, `telp`, `level`) VALUES
(1, 'Admin Diskominfo', 'admin', '21232f297a57a5a743894a0e4a801fc3', '0531-21010', 'admin'),
(2, 'Bpk. Suryadi', 'suryadi', 'afb91ef692fd08c445e8cb1bab2ccf9c', '081250008877', 'petugas');

CREATE TABLE `pengaduan` (
  `id_pengaduan` int(16) NOT NULL,
  `tgl_pengaduan` date NOT NULL,
  `nik` char(16) NOT NULL,
  `isi_laporan` text NOT NULL,
  `foto` varchar(255) NOT NULL,
  `status` enum('0','proses','selesai') NOT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

INSERT INTO `pengaduan` (`id_pengaduan`, `tgl_pengaduan`, `nik`, `isi_laporan`, `foto`, `status`) VALUES
(1, '2026-02-02', '6202051507880003', 'Jalan Tjilik Riwut km 7 berlubang besar, sudah dua motor jatuh minggu ini. Kalau hujan lubangnya tidak kelihatan karena tergenang air.', 'jalan1.jpg', '0'),
(2, '2026-02-03', '6202064203920001', 'Lampu jalan di Gang Meranti mati sejak awal Januari. Warga takut keluar malam.', '', '0'),
(3, '0000-00-00', '6202010111790005', 'Sampah di depan pasar tidak diangkut tiga hari, baunya sampai ke sekolah.', 'hilang.jpg', '0'),
(4, '2026-02-05', '6202999999999999', 'Air PDAM di Perumahan Bumi Raya keruh dan berbau besi sejak seminggu. Mohon dicek.', '', '0'),
(5, '2026-02-07', '6202051507880003', '', '', '0'),
(6, '2026-02-09', '6202064203920001', 'Pohon tumbang menutup parit di Jl. Pelita Barat.\r\nSudah lapor RT, belum ada tindakan.', 'pohon.png', 'proses');

CREATE TABLE `tanggapan` (
  `id_tanggapan` int(11) NOT NULL,
  `id_pengaduan` int(11) NOT NULL,
  `tgl_tanggapan` date NOT NULL,
  `tanggapan` text NOT NULL,
  `id_petugas` int(11) NOT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8;

INSERT INTO `tanggapan` (`id_tanggapan`, `id_pengaduan`, `tgl_tanggapan`, `tanggapan`, `id_petugas`) VALUES
(1, 6, '2026-02-10', 'Sudah kami teruskan ke Dinas Lingkungan Hidup.', 2);

ALTER TABLE `masyarakat` ADD PRIMARY KEY (`nik`);
ALTER TABLE `petugas` ADD PRIMARY KEY (`id_petugas`);
ALTER TABLE `pengaduan` ADD PRIMARY KEY (`id_pengaduan`);
ALTER TABLE `tanggapan` ADD PRIMARY KEY (`id_tanggapan`);
ALTER TABLE `petugas` MODIFY `id_petugas` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3;
ALTER TABLE `pengaduan` MODIFY `id_pengaduan` int(16) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=7;
ALTER TABLE `tanggapan` MODIFY `id_tanggapan` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=2;
