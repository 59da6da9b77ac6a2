% Fuse the images of a folder. Runs in GNU Octave and in MATLAB, without toolboxes.
%
% The benchmark tells where the images are and where the fused one must go. They are gray or RGB,
% uint8 or uint16, named 01.png, 02.png, ...; the fused image must have the same size and type.

folder = getenv('MFIF_FOLDER');
listed = dir(fullfile(folder, '*.png'));
names = sort({listed.name});
window = 7;
if exist('OCTAVE_VERSION', 'builtin')
  given = argv();
  window = str2double(given{end});
end

box = ones(window) / window ^ 2;
for k = 1:numel(names)
  image = imread(fullfile(folder, names{k}));
  gray = mean(double(image), 3);
  count = conv2(ones(size(gray)), box, 'same');
  local_mean = conv2(gray, box, 'same') ./ count;
  variance = conv2(gray .^ 2, box, 'same') ./ count - local_mean .^ 2;
  if k == 1
    fused = image;
    most = variance;
    continue
  end
  sharper = variance > most;
  most(sharper) = variance(sharper);
  for c = 1:size(image, 3)
    channel = fused(:, :, c);
    other = image(:, :, c);
    channel(sharper) = other(sharper);
    fused(:, :, c) = channel;
  end
end
imwrite(fused, getenv('MFIF_OUTPUT'));
